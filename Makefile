# LM-Debugger. `make help` lists what there is.
# Nothing needs to be installed first but Python 3.11 or newer; choose it with `make PYTHON=python3.12 …`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help
help: ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

.PHONY: demo
demo: $(VENV)/installed ## Trace a prompt on the demo model, then steer it (fetches 93 MB once)
	$(BIN)/lm-debugger trace "It was the first time that two" --model demo
	$(BIN)/lm-debugger generate "The food at this restaurant is" --model demo $(foreach value,$(NEGATIVE),--set $(value)=on)

# Eight value vectors that promote negative words: each is switched on.
NEGATIVE := L18D267 L22D75 L22D333 L22D524 L23D1046 L28D270 L29D168 L29D263

.PHONY: test
test: $(VENV)/installed-dev ## Check style, types and import directions, and run the tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

.PHONY: test-all
test-all: $(VENV)/installed-dev ## Run the slow tests too
	$(BIN)/python -m pytest -m "slow or not slow"

.PHONY: bench
bench: $(VENV)/installed-dev ## Measure speed, as ratios within one run
	$(BIN)/python -m benchmarks

.PHONY: support
support: $(VENV)/installed-dev ## Examine every model type that transformers knows
	$(BIN)/python -m tests.support_table

.PHONY: format
format: $(VENV)/installed-dev ## Put the code into its format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: lock
lock: ## Renew constraints.txt from a fresh environment
	folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(PYTHON) -m venv "$$folder"; \
	"$$folder/bin/python" -m pip install --quiet --editable ".[dev]" "torch==$(TORCH)"; \
	"$$folder/bin/python" -m pip freeze --exclude-editable > "$$folder/freeze"; \
	{ echo "# Every package that is tested with; made by 'make lock'."; \
	  sed -E 's/\+[a-z0-9.]+$$//' "$$folder/freeze"; } > constraints.txt

# The PyTorch that everything is tested with.
TORCH := 2.13.0

.PHONY: clean
clean: ## Remove the environment and everything that was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=…")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --constraint constraints.txt --editable .
	touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --constraint constraints.txt --editable ".[dev]"
	touch $(VENV)/installed $@
