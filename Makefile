# make demo    build, and analyse a capture from samples/
# make test    run the tests, and let other programs read what is written (tests/readers.sh)
# make check   formatting, lints and documentation, with warnings as errors
# make fuzz    run each fuzz target for FUZZ_SECONDS (60), with cargo-fuzz
# make hostile measure time and memory of captures that are made to exhaust both
# make bench   measure, beside other programs where they are installed, and compare with benches/recorded.json
# make deps    install the headers of libpcap where they are missing

CARGO ?= cargo
CC ?= cc
SUDO := $(shell test "$$(id -u)" = 0 || echo sudo)

FUZZ_SECONDS ?= 60
FUZZ_ARGS ?=
FUZZ_TARGETS ?= $(notdir $(basename $(wildcard fuzz/fuzz_targets/*.rs)))

.PHONY: demo test check bench fuzz hostile deps

demo: deps
	$(CARGO) build --release
	target/release/bitsleuth samples/resumed.pcap

test: deps
	$(CARGO) test
	tests/readers.sh

check: deps
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --no-deps

# Without a sanitizer it needs no nightly tool chain; the language has few faults left that one would find.
fuzz: fuzz/corpus
	for target in $(FUZZ_TARGETS); do \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --sanitizer none $$target -- -dict=fuzz/dictionary \
			-max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=1024 -malloc_limit_mb=256 -timeout=10 \
			-max_len=65536 -print_final_stats=1 $(FUZZ_ARGS) || exit 1; \
	done

hostile: deps
	$(CARGO) bench --bench hostile

fuzz/corpus: $(wildcard samples/*.pcap*) fuzz/examples/seeds.rs
	$(CARGO) run --release --manifest-path fuzz/Cargo.toml --example seeds -- samples $@
	touch $@

bench: deps
	$(CARGO) bench --bench compare

define HAVE_LIBPCAP
pkg-config --exists libpcap 2>/dev/null || \
	echo '#include <pcap/pcap.h>' | $(CC) -E -x c - >/dev/null 2>&1
endef

deps:
	@if $(HAVE_LIBPCAP); then exit 0; fi; \
	echo "installing the headers of libpcap"; \
	has() { command -v "$$1" >/dev/null 2>&1; }; \
	if has apt-get; then $(SUDO) apt-get install -y libpcap-dev || \
		{ $(SUDO) apt-get update && $(SUDO) apt-get install -y libpcap-dev; }; \
	elif has dnf; then $(SUDO) dnf install -y libpcap-devel; \
	elif has yum; then $(SUDO) yum install -y libpcap-devel; \
	elif has apk; then $(SUDO) apk add libpcap-dev; \
	elif has pacman; then $(SUDO) pacman -S --noconfirm --needed libpcap; \
	elif has zypper; then $(SUDO) zypper --non-interactive install libpcap-devel; \
	elif has brew; then brew install libpcap; \
	else false; \
	fi || { echo "cannot install the headers of libpcap: install them by hand, or build without live capture:" >&2; \
		echo "    $(CARGO) build --release --no-default-features --features parquet" >&2; exit 1; }
