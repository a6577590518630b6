# The two commands: `make repro` (run the loop) and `make test` (run every test). The rest is convenience.
PYTHON ?= python3.11
TWIN ?= factory
PROFILE ?=
VENV := .venv
STAMP := $(VENV)/.installed
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONPATH := src

.DEFAULT_GOAL := help
.PHONY: help setup repro test lint bench fuzz ui lab clean

help:
	@echo "make repro [TWIN=factory] [PROFILE=smoke|default|full]   run the loop, end with its answer"
	@echo "make test    run every test"
	@echo "make setup | ui | lab | lint | bench | fuzz | clean"

setup: $(STAMP)

$(STAMP): constraints.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "setup      expected $(PYTHON) on the PATH: install Python 3.11, or give PYTHON=path"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "setup      $(PYTHON) is not Python 3.11: give PYTHON=path"; exit 2; }
	@echo "setup      installing $$(grep -c '==' constraints.txt) pinned packages into $(VENV): about 7.2 GB on disk (3.5 GB to download), 3 to 8 minutes"
	@$(PYTHON) -m venv $(VENV) || { echo "setup      python's venv module is missing: on Debian, apt-get install python3-venv"; exit 2; }
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)
	@echo "setup      $$($(VENV)/bin/python --version) ✓  packages ✓"

repro: $(STAMP)
	@python -m twinloop repro $(TWIN) $(if $(PROFILE),--profile $(PROFILE))

test: $(STAMP)
	python -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(STAMP)
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	python -m twinloop conf --check

bench: $(STAMP)
	python benchmarks/loop.py --json
	python benchmarks/vision.py --json
	python benchmarks/serving.py --json
	python benchmarks/simulation.py --json
	python benchmarks/scheduling.py --json

# 100 000 spoilt inputs of each kind; prints how many were read, refused, or ended otherwise.
fuzz: $(STAMP)
	@python -m tests.fuzz.count 100000

ui: $(STAMP)
	@python -m twinloop ui

lab: $(STAMP)
	jupyter lab --ip 127.0.0.1 notebooks

# What the pipeline and the tools left behind; the environment, the DVC cache and your data stay.
clean:
	rm -rf reports/factory reports/index.html data/factory data/conf.ok models/factory .twinloop/state
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis build src/*.egg-info
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
