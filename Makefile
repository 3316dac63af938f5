# `make demo` and `make test` set up all they need, in a virtual environment of their own.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SUPPLY := $(VENV)-supply
SEED ?= 0

.PHONY: demo test quick check fuzz mutate kills bench docs profile answering gpu pictures fed-chairs wheel release audit sbom lock clean

demo: $(VENV)/.local
	$(BIN)/ratf run benchmarks/demo.yaml

# two workers with one thread each do more on two cores than two threads that wait for each other; the programs that
# tests start read compiled modules, also where the environment forbids to write them
TWO := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

# how long each test took is printed for the longest, and is in build/tests.xml for all
test: $(VENV)/.dev chromium check
	$(TWO) --durations=25 --junitxml=build/tests.xml

quick: $(VENV)/.dev check
	$(TWO) -m "not slow"

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# ten minutes of mutated files; what fails is kept in tests/fuzz/corpus, and read again by every `make test`
fuzz: $(VENV)/.dev
	RATF_FUZZ_SECONDS=100 $(BIN)/pytest tests/fuzz

# spoilt files of nineteen kinds, each given to the commands that read it; SEED=1 spoils them otherwise
mutate: $(VENV)/.dev
	$(BIN)/python tests/fuzz/mutate.py $(SEED)

# a run that is killed at a hundred random moments and says the same in the end; some minutes
kills: $(VENV)/.dev
	$(BIN)/python tests/fuzz/kills.py

# the documents as a site, build/docs/site, with the reference made from the code; a wrong link, anchor or page is a failure
docs: $(VENV)/.dev
	$(BIN)/python docs/make.py

# RUN: a finished run; SITE: a site of `ratf leaderboard`
pictures: $(VENV)/.dev chromium
	$(BIN)/python docs/pictures.py $(RUN) $(SITE)

# docs/performance.md, each row beside a peer; QUICK=1 takes five minutes. DATA: the people of fed-chairs.yaml, for its rows
bench: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.bench $(if $(QUICK),--quick) $(if $(DATA),--data $(DATA))

# our local models beside other libraries that answer; those that are not installed are told as that
answering: $(VENV)/.local
	$(BIN)/python benchmarks/answering.py

# the whole chain on a machine with a GPU, in an environment of its own: vLLM brings the torch that it is built for
gpu:
	@command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q . \
	  || { echo "make gpu: this machine has no GPU that nvidia-smi lists, so nothing was run" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)-gpu
	$(VENV)-gpu/bin/pip install --quiet --disable-pip-version-check vllm -e '.[local]'
	$(VENV)-gpu/bin/python benchmarks/gpu.py

# where a demo's time goes: its phases, and the ten functions that take most; SUITE=… for another suite
profile: $(VENV)/.local
	$(BIN)/python benchmarks/profiling.py $(SUITE)

wheel: $(VENV)/.dev
	$(BIN)/python -m build

# for a release: wheel and source, and what they are tested with as a list of parts (CycloneDX)
release: sbom
	$(SUPPLY)/bin/python -m build --outdir dist

# only versions that are named are looked up, and one that cannot be is a failure; nothing is installed or run for it
audit: $(SUPPLY)/.made
	$(SUPPLY)/bin/pip-audit --requirement constraints.txt --strict --no-deps --disable-pip

sbom: $(SUPPLY)/.made
	mkdir -p dist
	$(SUPPLY)/bin/cyclonedx-py requirements constraints.txt --pyproject pyproject.toml --output-reproducible --output-file dist/ratf.cdx.json

# an environment of their own: nothing of theirs gets in among what is tested
$(SUPPLY)/.made:
	$(PYTHON) -m venv $(SUPPLY)
	$(SUPPLY)/bin/pip install --quiet --disable-pip-version-check build==1.3.0 cyclonedx-bom==7.5.0 pip-audit==2.10.1
	touch $@

# torch 2.13.0 first and by itself: an open range would bring gigabytes of CUDA along
$(VENV)/.local: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip uninstall --quiet --quiet --yes ratf    # the project's earlier name, in an environment of before
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[local]'
	touch $@

$(VENV)/.dev: $(VENV)/.local
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[local,dev]'
	touch $@

# the versions that are installed, of a fresh environment without constraints, for all that install from here
lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(VENV)-lock/bin/pip install --quiet --disable-pip-version-check '.[local,dev]'
	{ head -1 constraints.txt; $(VENV)-lock/bin/pip list --format=freeze | sed 's/+cpu$$//' \
	  | grep -viE '^(ratf-eval|ratf|pip|setuptools|wheel)=='; } > constraints.new && mv constraints.new constraints.txt
	rm -rf $(VENV)-lock

# the page test drives Debian's chromium; without it and without the right to install it, that test is skipped
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || echo "no chromium: the page test will be skipped"

clean:
	rm -rf $(VENV) $(SUPPLY) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
