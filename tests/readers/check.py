"""What bitsleuth writes, judged by other people's readers."""

import csv
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import duckdb
import haralyzer
import jsonschema
import pyarrow
import pyarrow.parquet
import stix2
import stix2validator
from referencing import Registry, Resource

import attack
import ecs
import page

PROGRAM, READERS = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
SAMPLES = sorted(path for path in pathlib.Path("samples").iterdir() if ".pcap" in path.name)
SAMPLES += [pathlib.Path(name) for name in sys.argv[3:]]
REQUIRED = os.environ.get("READERS") == "required"
TABLES = ["sessions", "fragments", "findings"]


def run(*args):
    done = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, check=False)
    assert done.returncode == 0, (args, done.returncode, done.stderr.decode())
    return done.stdout


def export(sample, form, *more):
    return run("export", "--format", form, "--digest", "sha256", *more, sample)


def schema(definition=None):
    whole = json.loads(run("schema"))
    if definition is None:
        return whole
    part = dict(whole["$defs"][definition])
    return {"$schema": whole["$schema"], "$defs": whole["$defs"], **part}


def validator(of):
    return jsonschema.validators.validator_for(of)(of, format_checker=jsonschema.FormatChecker())


def check_json(sample, _):
    validator(schema()).validate(json.loads(export(sample, "json")))


def check_ndjson(sample, _):
    session = schema("Session")
    session["required"] = [key for key in session["required"] if key not in ("exchanges", "findings")]
    judges = {"exchange": validator(schema("Exchange")), "session": validator(session),
              "finding": validator(schema("Finding"))}
    events = [json.loads(line) for line in export(sample, "ndjson").splitlines()]
    assert events[0]["event_type"] == "start" and events[-1]["event_type"] == "end"
    report = json.loads(export(sample, "json"))
    seen = {kind: 0 for kind in judges}
    for event in events[1:-1]:
        judges[event["event_type"]].validate(event)
        seen[event["event_type"]] += 1
    assert seen["session"] == len(report["sessions"])
    assert seen["exchange"] == sum(len(s["exchanges"]) for s in report["sessions"])
    assert seen["finding"] == len(report["findings"]) + sum(len(s["findings"]) for s in report["sessions"])


def kinds(value, name=""):
    """Field names with the types that an index would give them."""
    if isinstance(value, dict):
        yield name, dict
        for key, inner in value.items():
            yield from kinds(inner, f"{name}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from kinds(inner, name)
    elif value is not None:
        yield name, type(value)


FIELDS = {}


def check_ecs(sample, _):
    judge = validator(ecs.SCHEMA)
    for line in export(sample, "ecs").splitlines():
        event = json.loads(line)
        judge.validate(event)
        for name, kind in kinds(event):
            assert FIELDS.setdefault(name, kind) == kind, f"{name} has two types"


def check_har(sample, _):
    har = json.loads(export(sample, "har"))
    parsed = haralyzer.HarParser(har)
    report = json.loads(export(sample, "json"))
    assert len(parsed.pages) == len(report["sessions"])
    folder = READERS / "node_modules/har-schema/lib"
    if not folder.exists():
        assert not REQUIRED, "the HAR schema is missing"
        print("tests/readers.sh: SKIPPED: the HAR schema, for lack of npm", file=sys.stderr)
        return
    files = {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}
    resources = [(own["$id"], Resource.from_contents(own)) for own in files.values()]
    judge = jsonschema.Draft6Validator(files["har.json"], registry=Registry().with_resources(resources),
                                      format_checker=jsonschema.Draft6Validator.FORMAT_CHECKER)
    judge.validate(har)


def check_stix(sample, _):
    options = stix2validator.ValidationOptions(version="2.1")
    bundle = export(sample, "stix").decode()
    result = stix2validator.validate_string(bundle, options)
    assert result.is_valid, result.errors
    # The library knows no empty bundle.
    if "objects" in json.loads(bundle):
        stix2.parse(bundle)


def check_tables(sample, folder):
    report = json.loads(export(sample, "json"))
    sizes = {"sessions": len(report["sessions"]),
             "fragments": sum(len(s["fragments"]) for s in report["sessions"]),
             "findings": len(report["findings"]) + sum(len(s["findings"]) for s in report["sessions"])}
    for table in TABLES:
        text, parquet = folder / f"{table}.csv", folder / f"{table}.parquet"
        run("export", "--format", "csv", "--table", table, "-o", text, sample)
        run("export", "--format", "parquet", "--table", table, "-o", parquet, sample)
        rows = list(csv.reader(io.StringIO(text.read_bytes().decode(), newline=""), strict=True))
        assert len(rows) == sizes[table] + 1 and len({len(row) for row in rows}) == 1, (table, rows)
        read = "read_csv(?, header=true, all_varchar=true)"
        by_csv = duckdb.execute(f"select * from {read}", [str(text)]).fetchall()
        by_parquet = duckdb.execute("select * from read_parquet(?)", [str(parquet)]).fetchall()
        assert len(by_csv) == len(by_parquet) == sizes[table]
        arrow = pyarrow.parquet.read_table(parquet)
        assert arrow.num_rows == sizes[table] and arrow.column_names == rows[0]
        if table == "sessions":
            assert arrow.schema.field("started").type == pyarrow.timestamp("us", tz="UTC")
            ids = [session.get("id") for session in report["sessions"]]
            assert arrow.column("session_id").to_pylist() == ids
            assert arrow.column("bytes_sent").to_pylist() == [s["bytes_sent"] for s in report["sessions"]]


def tshark(capture, *more):
    done = subprocess.run(["tshark", "-n", "-r", capture, *more], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "cut short" in done.stderr, done.stderr
    complaints = [line for line in done.stderr.splitlines() if "root" not in line]
    return done.stdout.splitlines(), complaints


def check_annotate(sample, folder):
    if shutil.which("tshark") is None:
        assert not REQUIRED, "tshark is missing"
        print("tests/readers.sh: SKIPPED: annotated captures, for lack of tshark", file=sys.stderr)
        return
    same = ["-T", "fields"] + [part for name in ("number", "time_epoch", "len", "cap_len", "protocols")
                               for part in ("-e", f"frame.{name}")]
    commented, cut = folder / "all.pcapng", folder / "cut.pcapng"
    run("annotate", sample, "-o", commented)
    run("annotate", "--only-bits", sample, "-o", cut)
    before, complaints = tshark(sample, *same)
    after, new = tshark(commented, *same)
    assert before == after and len(new) <= len(complaints), (new, complaints)
    comments, _ = tshark(commented, "-Y", "frame.comment", "-T", "fields", "-e", "frame.number", "-e", "frame.comment")
    comments = dict(line.split("\t", 1) for line in comments)
    report = json.loads(export(sample, "json"))
    for session in report["sessions"]:
        for exchange in session["exchanges"]:
            for message in (exchange.get("request"), exchange.get("response")):
                assert message is None or "BITS " in comments[str(message["first_frame"])], message
        for finding in session["findings"]:
            for frame in finding["frames"]:
                assert finding["rule"] in comments[str(frame)], (finding, frame)
    again = json.loads(run("sessions", "--json", cut))
    outcomes = [[s["outcome"] for s in r["sessions"]] for r in (report, again)]
    assert outcomes[0] == outcomes[1], outcomes


def check_html(sample, folder):
    """On each sample: the same elements as ever, and a policy that fits the page."""
    page.judge(run("report", sample).decode())


def check_hostile():
    with tempfile.TemporaryDirectory() as folder:
        capture = pathlib.Path(folder) / "hostile.pcap"
        capture.write_bytes(attack.hostile())
        text = run("report", capture).decode()
        page.judge(text)
        assert "onerror=alert(1)" in text, "the attack did not get through to the page"
        whole = pathlib.Path(folder) / "hostile.html"
        whole.write_text(text)
        if not page.look(whole):
            assert not REQUIRED, "chromium is missing"
            print("tests/readers.sh: SKIPPED: a browser, for lack of chromium", file=sys.stderr)
        for form in ("json", "ndjson", "ecs", "har", "stix"):
            checks = {"json": check_json, "ndjson": check_ndjson, "ecs": check_ecs, "har": check_har, "stix": check_stix}
            checks[form](capture, pathlib.Path(folder))


CHECKS = [check_json, check_ndjson, check_ecs, check_har, check_stix, check_tables, check_annotate, check_html]


def main():
    for sample in SAMPLES:
        for check in CHECKS:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    check(sample, pathlib.Path(folder))
                except Exception:
                    print(f"{check.__name__} fails on {sample}", file=sys.stderr)
                    raise
    check_hostile()
    names = ", ".join(check.__name__.removeprefix("check_") for check in CHECKS)
    print(f"tests/readers.sh: {len(SAMPLES)} captures pass {names}")


main()
