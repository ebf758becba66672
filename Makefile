# Everything runs from a virtual environment in the checkout; it is made on first use and again when the lock changes.

PYTHON ?= python3
# Test processes: more than cores, as tests mostly wait. Units go out in the order that tests/conftest.py gives them.
PARALLEL := -n 3 --dist loadgroup --no-loadscope-reorder
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup demo test lint bench plots soak fuzz lock clean
.DEFAULT_GOAL := help

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make the virtual environment

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "laurel needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: $(READY) ## Score real days, show the results
	$(BIN)/laurel demo

test: $(READY) ## Run all tests
	$(BIN)/pytest $(PARALLEL)

lint: $(READY) ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) .venv-bench/.ready ## Compare speed with peers, on this machine (BENCH=--quick)
	$(BIN)/python -m bench $(BENCH)

.venv-bench/.ready: requirements/bench.txt
	$(PYTHON) -m venv --clear .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

plots: $(READY) ## Draw the pictures of docs/score.md from the code
	$(BIN)/python -m docs.plots

soak: $(READY) ## Kill workers and brokers, compare with the oracle (SEED=, KILLS=, BROKER_KILLS=, MINUTES=)
	$(BIN)/python -m tests.soak --seed $(or $(SEED),1) --kills $(or $(KILLS),10) \
	  --broker-kills $(or $(BROKER_KILLS),2) --minutes $(or $(MINUTES),0)

fuzz: $(READY) ## Send EVENTS fuzzed messages and hold what comes back against them (SEED=, EVENTS=)
	$(BIN)/python -m tests.fuzz --seed $(or $(SEED),1) --events $(or $(EVENTS),1000000)

lock: $(READY) ## Resolve the dependencies again
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --upgrade --group dev pyproject.toml --output-file requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --constraint requirements/dev.txt pyproject.toml --output-file requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --upgrade bench/peers/requirements.in --output-file requirements/bench.txt

clean: ## Delete what was made here
	rm -rf .venv .venv-* .laurel .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
