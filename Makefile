# A thin front to CMake (see CMakePresets.json): on a fresh Debian 12 machine with git and make these
# do everything, missing packages included (tools/setup names them; needs root or sudo once).
#
#   make          the program, build/yore
#   make demo     build it and run the main job: a guided tour of thirteen years of history
#   make test     build and pass the tests (under 5 minutes)
#   make ci       everything, as .ci/run does (about 40 minutes)
#   make soak     every suite at its full count (hours)
#   make bench    Yore alone; make bench-peers: beside RocksDB, LevelDB, LMDB, WiredTiger (installs them)
#   make install  into PREFIX (/usr/local), below DESTDIR
#   make deb      the Debian packages, in build-release/packages

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
.DEFAULT_GOAL := all
.PHONY: all demo test ci soak bench bench-peers install deb format clean

all:
	@tools/setup build
	@out=$$(cmake --preset plain 2>&1) || { echo "$$out"; exit 1; }
	cmake --build build -j$(JOBS)

demo: all
	examples/wmf-infra/demo.sh build/yore

test:
	@tools/setup test
	@$(MAKE) --no-print-directory all
	tools/run_tests build -LE 'crash|sim|corruption|process|alloc|clients|tck'

ci:
	.ci/run

soak:
	YORE_TEST_SOAK=1 .ci/run

bench: all
	$(MAKE) -C bench yore

bench-peers: all
	$(MAKE) -C bench peers-install peers

install: all
	cmake --install build --prefix $(PREFIX)

deb:
	@tools/setup ci
	cmake --preset release
	cmake --build build-release -j$(JOBS)
	cpack --config build-release/CPackConfig.cmake -G DEB -B build-release/packages

format:
	tools/format

clean:
	rm -rf build build-*
