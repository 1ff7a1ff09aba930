#!/usr/bin/env bash
# Lets other people's readers judge what bitsleuth writes: JSON Schema, HAR, STIX, DuckDB, pyarrow, tshark.
#
# Python packages go to a virtual environment under target/. Where Python, the network or tshark is missing the checks
# are skipped, and this says so; with READERS=required it fails instead.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${BITSLEUTH:-target/debug/bitsleuth}
target=${CARGO_TARGET_DIR:-target}
readers=$target/readers

skip() {
    echo "tests/readers.sh: SKIPPED: $1" >&2
    [ "${READERS:-}" != required ] || { echo "tests/readers.sh: but READERS=required" >&2; exit 1; }
    exit 0
}

[ -x "$program" ] || { echo "tests/readers.sh: $program is not built" >&2; exit 1; }
command -v python3 >/dev/null || skip "no python3"

wanted=$(cat tests/readers/requirements.txt)
if [ "$(cat "$readers/installed" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$readers"
    mkdir -p "$readers"
    python3 -m venv "$readers/venv" >"$readers/log" 2>&1 || skip "no virtual environment, see $readers/log"
    "$readers/venv/bin/pip" install --quiet --disable-pip-version-check \
        -r tests/readers/requirements.txt >>"$readers/log" 2>&1 || skip "pip cannot install, see $readers/log"
    echo "$wanted" >"$readers/installed"
fi
# The schema of HTTP Archive is published for JavaScript only.
if [ ! -e "$readers/node_modules/har-schema" ] && command -v npm >/dev/null; then
    npm install --silent --no-audit --no-fund --prefix "$readers" har-schema@2.0.0 >>"$readers/log" 2>&1 || true
fi

exec "$readers/venv/bin/python" tests/readers/check.py "$program" "$readers"
