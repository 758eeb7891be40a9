# Nothing is needed but make and Python 3.11 or newer. A second interpreter: make verify PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCK := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help venv verify test lint docs bench peers guard changelog clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

venv: $(VENV)/core.stamp  ## create .venv with the locked versions of the core dependencies

verify: $(VENV)/core.stamp  ## install and check the quick profile; the report goes to report/
	$(BIN)/theorylab check --profile quick --report report/

test: lint  ## lint, types, and every test that is neither long nor in need of a GPU
	$(BIN)/python -m pytest -m "not long and not gpu" -n 2 --dist loadfile

lint: $(VENV)/dev.stamp  ## ruff (rules and format) and mypy
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

docs: $(VENV)/docs.stamp  ## HTML documentation in docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

bench: $(VENV)/dev.stamp  ## benchmark tables
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.numpy_form
	$(BIN)/python -m benchmarks.planning
	$(BIN)/python -m benchmarks.collection

peers: $(VENV)/dev.stamp  ## the table against other packages, each in an environment of its own under .peers
	$(BIN)/python -m benchmarks.against --make

guard: $(VENV)/dev.stamp  ## fails where a compiled kernel is slower than its NumPy form
	$(BIN)/python -m benchmarks.numpy_form --guard

changelog:  ## assemble CHANGELOG.md from changes/
	$(PYTHON) changes/assemble.py

clean:  ## remove .venv, caches, report and built documentation
	rm -rf $(VENV) report docs/_build docs/catalogue/models build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each set of packages: a change of pyproject.toml or constraints.txt installs again.
$(VENV)/bin/python:
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
	  echo "theorylab needs Python 3.11 or newer; '$(PYTHON)' was not found. Try: make PYTHON=python3.11 ..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "theorylab needs Python 3.11 or newer; '$(PYTHON)' is $$("$(PYTHON)" -V 2>&1)." \
	       "Try: make PYTHON=python3.11 ..." >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/core.stamp: $(LOCK) | $(VENV)/bin/python
	$(PIP) install -q -c constraints.txt -e .
	@touch $@

$(VENV)/dev.stamp: $(LOCK) | $(VENV)/bin/python
	$(PIP) install -q -c constraints.txt -e ".[dev]"
	@touch $@ $(VENV)/core.stamp

$(VENV)/docs.stamp: $(LOCK) | $(VENV)/bin/python
	$(PIP) install -q -c constraints.txt -e ".[docs]"
	@touch $@ $(VENV)/core.stamp
