# Build, run and test admm-mpi. `make help` lists the targets and the variables.

# What `make build` was told last. `make install` installs that, so far as it isn't told otherwise.
built := .build-variables
ifneq ($(filter install,$(MAKECMDGOALS)),)
-include $(built)
endif

PREFIX ?= /usr/local
# What to compile for, as in clang's -march. Where login and compute nodes differ: ARCH=x86-64-v3, say.
ARCH ?= native
RANKS ?= 2
# Rank counts, besides 1, on which the MPI-aware tests run.
TEST_RANKS ?= 2 3 4
CONFIG ?= configs/fashion-mnist.toml
RUN_DIRECTORY ?= runs/$(basename $(notdir $(CONFIG)))
# Seconds that a suite may take on one rank count.
TEST_LIMIT ?= 300
# More options for `make bench`, such as --rounds 9.
BENCHFLAGS ?=
# What `make bench-learning` compares on, and options of `make bench-defaults`.
LEARNING ?= --case fashion-mnist
DEFAULTS ?=
# Seconds of `make fuzz` for each of its targets; runs of `make fuzz-commands`, and the seed that they follow from.
TIME ?= 60
TARGETS ?= csv gzip idx hdf5 model toml decimal
RUNS ?= 20000
SEED ?= 1
# More options for swift build, such as --static-swift-stdlib.
SWIFTFLAGS ?=

# pkg-config's names of the C libraries: Debian's, or yours. Package.swift reads the same variables.
export PKG_MPI ?= ompi-c
export PKG_BLAS ?= openblas
export PKG_LAPACKE ?= lapacke
export PKG_HDF5 ?= hdf5-$(mpi)
mpi := $(if $(filter mpich%,$(PKG_MPI)),mpich,openmpi)

# What swift build makes: a folder for each MPI library, since the compiler keeps one library's header in it.
BUILD ?= .build$(if $(filter-out ompi-c,$(PKG_MPI)),-$(PKG_MPI))

# What starts the ranks: the library's own launcher. Debian's `mpirun` is a link to that of any library.
of_debian := $(filter /etc/alternatives/%,$(shell readlink "$$(command -v mpirun)"))
export MPIRUN ?= mpirun$(if $(of_debian),.$(mpi))

# What the program says that it was built from.
export ADMM_COMMIT := $(or $(shell git describe --always --dirty --abbrev=7 2> /dev/null),unknown)

# One thread a rank; more ranks than cores are welcome (Open MPI 4, 5); root may run, as in a container.
export OPENBLAS_NUM_THREADS ?= 1
export OMPI_MCA_rmaps_base_oversubscribe ?= 1
export PRTE_MCA_rmaps_default_mapping_policy ?= :oversubscribe
ifeq ($(shell id -u),0)
export OMPI_ALLOW_RUN_AS_ROOT = 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM = 1
endif

# A target may import what Package.swift lets it, and nothing else.
checked := --explicit-target-dependency-import-check error

# One configuration for the program and its tests, so that nothing is compiled twice.
release := -c release -Xcc -march=$(ARCH) --scratch-path $(BUILD) $(checked) $(SWIFTFLAGS)
program := $(BUILD)/release/admm-mpi
bundle  := $(BUILD)/release/admm-mpiPackageTests.xctest
sources := Sources Tests Package.swift
# Debug builds, in which Swift checks bounds and overflows, and a sanitizer all memory or all threads. Their suites are
# those that read files and share memory: the mathematics takes hours so. Leaks are Open MPI's own.
debug := -c debug -Xcc -march=$(ARCH) $(SWIFTFLAGS)
asan := $(debug) --sanitize=address --scratch-path .build-asan
asan_suites := \
  --filter '^(MPI|Files|HDF5|LinearAlgebra|Sums|Datasets|Reports|Configuration|Models|Runs|Studies|Fuzz)Tests\.' \
  --skip 'RealDataTests|SyntheticTests'
tsan := $(debug) --sanitize=thread --scratch-path .build-tsan
tsan_suites := --filter 'SumsTests|StepTests|ConsistentTests|AcceleratedTests|UpdateRuleTests' --skip aSweepOfWiderNets
# Suites whose tests use the communicator of the job that they run in.
parallel_suites := MPITests FilesTests HDF5Tests SumsTests NetworksTests ADMMTests OptimizersTests DatasetsTests \
  ReportsTests ModelsTests RunsTests VerifyTests FuzzTests

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.PHONY: help deps build build-tests venv run test test-one test-mpi test-end-to-end test-slurm test-kill test-mpich \
  test-asan test-tsan fuzz fuzz-commands lint format venv-bench bench bench-full bench-learning bench-defaults \
  bench-check jobs install clean
.DEFAULT_GOAL := help

## help         this list
help:
	@sed -n 's/^## /  make /p' Makefile
	printf '%s\n' '' 'Variables, as they stand:' \
	  '  ARCH=$(ARCH) CONFIG=$(CONFIG) RANKS=$(RANKS) RUN_DIRECTORY=$(RUN_DIRECTORY) PREFIX=$(PREFIX)' \
	  '  MPIRUN=$(MPIRUN) SWIFTFLAGS=$(SWIFTFLAGS) BUILD=$(BUILD) TEST_RANKS="$(TEST_RANKS)"' \
	  '  PKG_MPI=$(PKG_MPI) PKG_BLAS=$(PKG_BLAS) PKG_LAPACKE=$(PKG_LAPACKE) PKG_HDF5=$(PKG_HDF5)'

## deps         install what is missing, by apt: C libraries, Fashion-MNIST, Python's venv, gnuplot
deps:
	@scripts/require libraries data python plots

## build        compile the program
build:
	@scripts/require libraries
	swift build $(release) --product admm-mpi
	printf '%s ?= %s\n' ARCH '$(ARCH)' SWIFTFLAGS '$(SWIFTFLAGS)' BUILD '$(BUILD)' PKG_MPI '$(PKG_MPI)' \
	  PKG_BLAS '$(PKG_BLAS)' PKG_LAPACKE '$(PKG_LAPACKE)' PKG_HDF5 '$(PKG_HDF5)' > $(built)

build-tests:
	@scripts/require libraries
	swift build $(release) --build-tests

## run          train CONFIG on RANKS ranks: Fashion-MNIST on 2
run:
	@scripts/require libraries data
	set -x
	swift build $(release) --product admm-mpi
	$(MPIRUN) -n $(RANKS) $(program) $(CONFIG) --output $(RUN_DIRECTORY) --set output.overwrite=true

## test         all tests: on one rank, then under mpirun on TEST_RANKS, then the program itself
test: deps venv
	@swift build $(release) --build-tests
	$(MAKE) --no-print-directory test-one test-mpi test-end-to-end

# The three parts of `make test`, for when all is built: make test-mpi TEST_RANKS=3 parallel_suites=MPITests
test-one:
	swift test $(release) --skip-build --disable-xctest --no-parallel --skip EndToEndTests

test-mpi:
	@log=$$(mktemp)
	trap 'rm -f $$log' EXIT
	for ranks in $(TEST_RANKS); do
	  for suite in $(parallel_suites); do
	    echo "$$suite on $$ranks ranks"
	    # Every rank reports every test: shown only where one fails.
	    timeout --kill-after=10 $(TEST_LIMIT) $(MPIRUN) -n $$ranks $(bundle) \
	      --testing-library swift-testing --no-parallel --filter "^$$suite\." < /dev/null > $$log 2>&1 || { cat $$log; exit 1; }
	    grep --only-matching --max-count=1 'Test run with .*' $$log
	  done
	done

test-end-to-end:
	swift test $(release) --skip-build --disable-xctest --no-parallel --filter EndToEndTests --skip '\.Slurm'

## test-slurm   the batch scripts and what interrupts their jobs, under a Slurm of its own: some minutes
test-slurm:
	@scripts/require libraries slurm
	swift build $(release) --build-tests
	scripts/with-slurm swift test $(release) --skip-build --disable-xctest --no-parallel --filter '\.Slurm'

## test-kill    kill -9 of a random rank at a random moment, COUNT=1000 times, and on to the same bits: KILL_SEED=1
COUNT ?= 1000
export KILL_SEED ?= 1
test-kill: build-tests venv
	KILL_COUNT=$(COUNT) swift test $(release) --skip-build --disable-xctest --no-parallel --filter KillTests

## test-mpich   with MPICH in place of Open MPI: the MPI-aware tests, and a training whose weights have the same bits
test-mpich: build venv
	@$(MAKE) --no-print-directory build-tests test-mpi PKG_MPI=mpich PKG_HDF5=hdf5-mpich \
	  MPIRUN=mpirun.mpich BUILD=.build-mpich TEST_RANKS="1 2 3" TEST_LIMIT=1200
	run=$$(mktemp -d)
	trap 'rm -rf $$run' EXIT
	weights() { # LAUNCHER RANKS PROGRAM: the SHA-256 of what they learn from made-up samples
	  timeout --kill-after=10 300 $$1 -n $$2 $$3 configs/higgs-synthetic.toml --quiet --output $$run \
	    --set output.overwrite=true --set training.iterations=5 \
	    --set data.synthetic=30000 --set data.synthetic_test=3000 < /dev/null > /dev/null
	  sed -n 's/.*"weights_sha256": "\(.*\)".*/\1/p' $$run/run.json
	}
	for ranks in 1 2 3; do
	  own=$$(weights "$(MPIRUN)" $$ranks $(program))
	  mpich=$$(weights mpirun.mpich $$ranks .build-mpich/release/admm-mpi)
	  echo "weights of $$ranks ranks: $$own with $(PKG_MPI), $$mpich with mpich"
	  [[ -n $$own && $$own == "$$mpich" && $$own == "$${first:=$$own}" ]]
	done

## test-asan    a debug build's tests on one rank, under AddressSanitizer
test-asan: deps venv
	@swift build $(asan) --build-tests
	ASAN_OPTIONS=detect_leaks=0 swift test $(asan) --skip-build --disable-xctest --no-parallel $(asan_suites)

## test-tsan    the same of what several threads of a rank share, under ThreadSanitizer
test-tsan: deps venv
	@swift build $(tsan) --build-tests
	TSAN_OPTIONS=ignore_noninstrumented_modules=1 \
	  swift test $(tsan) --skip-build --disable-xctest --no-parallel $(tsan_suites)

## fuzz         feed the readers of files with what libFuzzer makes up: TIME=60 TARGETS="csv toml"
fuzz: build venv
	@ADMM_FUZZ=1 swift build -c debug --sanitize=fuzzer -Xcc -march=$(ARCH) --scratch-path .build-fuzz --product Fuzz
	.venv/bin/python Fuzz/readers.py --fuzzer .build-fuzz/debug/Fuzz --program $(program) --seconds $(TIME) $(TARGETS)

## fuzz-commands   flip bits of whole files, then give mutated files to the commands on 1 and 2 ranks: RUNS=20000 SEED=1
fuzz-commands: build venv
	@.venv/bin/python Fuzz/damage.py --program $(program) --seed $(SEED)
	.venv/bin/python Fuzz/commands.py --program $(program) --runs $(RUNS) --seed $(SEED) --findings .build-fuzz/commands

## venv         the tests' own Python: NumPy, SciPy, h5py in .venv
venv:
	@if cmp -s Tests/requirements.txt .venv/requirements.txt && .venv/bin/python -c 'import numpy, scipy, h5py'; then exit; fi
	scripts/require python
	"$$(scripts/python3-with-venv)" -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --requirement Tests/requirements.txt
	cp Tests/requirements.txt .venv/

## lint         check the style
lint:
	swift format lint --strict --parallel --recursive $(sources)

## format       mend the style
format:
	swift format format --in-place --parallel --recursive $(sources)

# An environment of its own: PyTorch is large, and the tests don't need it.
venv-bench:
	@requirements=Benchmarks/requirements.txt
	if cmp -s $$requirements .venv-bench/requirements.txt && .venv-bench/bin/python -c 'import numpy, torch'; then exit; fi
	scripts/require python
	"$$(scripts/python3-with-venv)" -m venv --clear .venv-bench
	.venv-bench/bin/python -m pip install --quiet --requirement $$requirements
	cp $$requirements .venv-bench/

## bench        time an iteration beside NumPy's and PyTorch's; writes docs/results.md
bench: build venv-bench
	@.venv-bench/bin/python Benchmarks/bench.py --write docs/results.md $(BENCHFLAGS)

## bench-full   time an iteration of all of HIGGS's size on 2 ranks; writes docs/results.md
bench-full: build venv-bench
	@.venv-bench/bin/python Benchmarks/bench.py --full configs/higgs-full-synthetic.toml --write docs/results.md

## bench-learning   accuracy against time beside PyTorch's Adam, SGD and L-BFGS: LEARNING="--case fashion-mnist"
bench-learning: build venv-bench
	@.venv-bench/bin/python Benchmarks/learning.py $(LEARNING)

## bench-defaults   the defaults of accelerated on five data sets, ten seeds each
bench-defaults: build venv-bench
	@.venv-bench/bin/python Benchmarks/defaults.py $(DEFAULTS)

# That NumPy's, PyTorch's and the tests' reference do the same iteration; `make bench` begins with it.
bench-check: venv-bench
	@.venv-bench/bin/python Benchmarks/check.py

## jobs         write the batch scripts in jobs/ anew, each by the command at its head
jobs: build
	@for script in jobs/*.slurm; do
	  command=$$(sed -n 's/^#   \(\.build\/.* slurm .*\)/\1/p' $$script)
	  if [[ -z $$command ]]; then continue; fi
	  echo "$$command > $$script"
	  $$command > $$script.new
	  mv $$script.new $$script
	done

## install      what `make build` built, with its completions, configurations and scripts, under PREFIX
install: build
	@install -D -t $(DESTDIR)$(PREFIX)/bin $(program)
	share=$(DESTDIR)$(PREFIX)/share
	install -D -m 644 -t $$share/admm-mpi/configs configs/*
	install -D -m 644 -t $$share/admm-mpi/jobs jobs/*
	sed -i 's#\.build/release/admm-mpi#$(PREFIX)/bin/admm-mpi#' $$share/admm-mpi/jobs/*
	install -D -t $$share/admm-mpi/scripts scripts/higgs-sample
	complete() { # SHELL FILE
	  install -d "$$(dirname $$share/$$2)"
	  $(program) --generate-completion-script $$1 > $$share/$$2
	}
	complete bash bash-completion/completions/admm-mpi
	complete zsh zsh/site-functions/_admm-mpi
	complete fish fish/vendor_completions.d/admm-mpi.fish
	echo "Installed under $(DESTDIR)$(PREFIX)"

## clean        remove what was built, and the virtual environments; runs/ stays
clean:
	rm -rf $(built) .build .build-mpich .build-asan .build-tsan .build-fuzz .venv .venv-bench
