# A thin front for meson. `make help` lists what there is.
#
#   make build        build/sallyport and build/sallyport-pktgen; as root, installs what is missing first
#   make demo         a small world of namespaces, the gateway in its middle, and a table of what came of each request
#   make demo-ha      two gateways with keepalived beside them, and all that may happen to the active one
#   make bench        the goals of docs/PERFORMANCE.md, measured, and its table written anew; BENCH=--quick for a glance
#   make deb          the Debian package, build-deb/sallyport_VERSION_amd64.deb; make deb-test tries it in a Debian of its own
#   make test         everything that says whether this works; ends with "N passed, N failed, N skipped"
BUILD   ?= build
# The instruction set: the portable baseline, or CPU=native for this machine only.
CPU     ?= x86-64-v3
JOBS    ?= $(shell nproc)
PREFIX  ?= /usr/local
DESTDIR ?=
# Debian's own, which sees Debian's modules, whatever else is in PATH.
PYTHON  ?= /usr/bin/python3
# `make bench`: options of tests/bench/run, such as "--quick", "--only P1,P16" or "--against OTHER_BUILD".
BENCH ?=
# `make fuzz`: each fuzz target runs for so many seconds, so many random decisions are compared with the oracle's, and so
# many random packets go through the pipeline and the model gateway.
SECONDS_EACH ?= 60
DECISIONS    ?= 10000000
PACKETS      ?= 10000000
# Options for a first `meson setup`, and the program that is asked whether it has been done.
SETUP = meson setup --buildtype=release -Dcpu=$(CPU)
NINJA = ninja -j $(JOBS)

.DEFAULT_GOAL := build
.PHONY: help dependencies build demo demo-ha scale test quick-test e2e lint bench bench-ha fuzz asan tsan install deb deb-test clean

help:
	@grep -E '^#   make' Makefile | sed 's/^# *//'
	@echo 'also: quick-test e2e lint bench bench-ha scale fuzz asan tsan install deb-test clean; variables: BENCH BUILD CPU JOBS PREFIX DESTDIR SECONDS_EACH DECISIONS PACKETS'

dependencies:
	@tools/install-dependencies build test

build: dependencies
	@test -f $(BUILD)/build.ninja || $(SETUP) $(BUILD)
	$(NINJA) -C $(BUILD) sallyport sallyport-pktgen

demo: build
	$(PYTHON) tests/e2e/demo --gateway $(BUILD)/sallyport

demo-ha: build
	$(PYTHON) tests/e2e/takeover --gateway $(BUILD)/sallyport

test: dependencies
	$(PYTHON) tests/run --jobs $(JOBS) --cpu $(CPU)

# Unit, model and scenario tests alone: what one runs between two edits.
quick-test: build
	$(NINJA) -C $(BUILD)
	meson test -C $(BUILD) --no-rebuild --print-errorlogs
	$(PYTHON) tests/scenarios/run --sallyport $(BUILD)/sallyport

e2e: build
	$(PYTHON) tests/e2e/run --gateway $(BUILD)/sallyport

lint: build
	$(PYTHON) tests/lint/run --build $(BUILD)

bench: build
	$(NINJA) -C $(BUILD)
	$(PYTHON) tests/bench/run $(BUILD) $(BENCH)

# The tables of docs/SCALE.md, from a model of a fleet and the figures of docs/PERFORMANCE.md.
scale:
	$(PYTHON) tests/scale/run

# Takes an hour, and writes the tables of docs/HA.md.
bench-ha: build
	$(PYTHON) tests/e2e/takeover --gateway $(BUILD)/sallyport --repeat 20 --write

asan: dependencies
	$(PYTHON) tests/run --jobs $(JOBS) --cpu $(CPU) --only asan

tsan: dependencies
	$(PYTHON) tests/run --jobs $(JOBS) --cpu $(CPU) --only tsan

fuzz: build
	$(NINJA) -C $(BUILD) tests/model/model_policy tests/model/model_gateway tests/model/model_gateway_mbufs \
	  tests/unit/dataplane/unit_ports_to_the_last
	SALLYPORT_DECISIONS=$(DECISIONS) $(BUILD)/tests/model/model_policy
	SALLYPORT_PACKETS=$(PACKETS) $(BUILD)/tests/model/model_gateway
	$(BUILD)/tests/model/model_gateway_mbufs
	SALLYPORT_CONNECTIONS=60000 $(BUILD)/tests/unit/dataplane/unit_ports_to_the_last
	tests/fuzz/run $(SECONDS_EACH)

install: build
	tools/install-files "$(BUILD)" "$(DESTDIR)" "$(PREFIX)"

deb:
	@tools/install-dependencies build package
	tools/make-deb build-deb

# As root, minutes: a bare Debian 12 by debootstrap, the package in it, the gateway on ports of its own.
deb-test: deb
	$(PYTHON) tests/package/run build-deb/sallyport_*_amd64.deb

clean:
	rm -rf $(BUILD) build-asan build-tsan build-fuzz build-deb
