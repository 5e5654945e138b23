# Each target sets up .venv itself; nothing but Python >= 3.11, make and a package index is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

# the tests start Python several hundred times: without compiled files each start takes a second longer
unexport PYTHONDONTWRITEBYTECODE

PYTEST := $(BIN)/python -m pytest tests cli fixtures synthetic lib -n $(WORKERS) --dist loadgroup -q

.PHONY: verify test test-fast lint types bench baselines docs-tables clean

verify: $(VENV)/ready   ## the built-in simulated survey: verdict table and report.html
	$(BIN)/python -m pytest acceptance -q --html report.html --sky-results results.json

test: lint types        ## style, spelling, types and all tests
	$(PYTEST)

test-fast: $(VENV)/ready ## style, and the tests that are not slow
	$(BIN)/ruff check .
	$(PYTEST) -m "not slow"

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: $(VENV)/ready
	$(BIN)/python tests/mypy_tree.py

bench: $(VENV)/ready    ## kernels and whole runs, to benchmarks/results
	$(BIN)/python -m pytest benchmarks -q --benchmark-json=benchmarks/results/kernels.json
	$(BIN)/python -m benchmarks.runs benchmarks/results/runs.json

baselines: $(VENV)/ready ## results of the shipped scenarios, that regression checks compare with
	for name in nominal degraded hsc-few-visits lsst-year shapes ztf-many-visits; do \
	  $(BIN)/skyaccept verify --scenario $$name --results synthetic/baselines/$$name.json.gz -q; \
	  test $$? -le 1 || exit 1; done

docs-tables: $(VENV)/ready ## tables of README and docs that the program knows
	$(BIN)/python -m benchmarks.doc_tables

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis report.html results.json

$(VENV)/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "skyaccept needs Python >= 3.11: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@
