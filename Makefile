# make demo    build, and analyse a capture from samples/
# make test    run the tests, and let other programs read what is written (tests/readers.sh)
# make check   formatting, lints and documentation, with warnings as errors
# make bench   measure, beside other programs where they are installed, and compare with benches/recorded.json
# make deps    install the headers of libpcap where they are missing

CARGO ?= cargo
CC ?= cc
SUDO := $(shell test "$$(id -u)" = 0 || echo sudo)

.PHONY: demo test check bench deps

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
		echo "    $(CARGO) build --release --no-default-features" >&2; exit 1; }
