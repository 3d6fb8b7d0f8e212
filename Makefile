# LM-Debugger. `make help` lists what there is.
# Nothing needs to be installed first but Python 3.11 or newer (choose it with `make PYTHON=python3.12 …`), and Node.js
# 20 or newer, with which the page is built.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
PAGE := src/lm_debugger/server/static/index.html
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help
help: ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

.PHONY: demo
demo: $(VENV)/installed $(PAGE) ## Trace and steer the demo model, then open the page on it (fetches 93 MB once)
	$(BIN)/lm-debugger trace "It was the first time that two" --model demo
	$(BIN)/lm-debugger generate "The food at this restaurant is" --model demo $(foreach value,$(NEGATIVE),--set $(value)=on)
	$(BIN)/lm-debugger serve demo

# Eight value vectors that promote negative words: each is switched on.
NEGATIVE := L18D267 L22D75 L22D333 L22D524 L23D1046 L28D270 L29D168 L29D263

.PHONY: test
test: test-python test-web ## Check style, types and import directions, and run all tests

# Tests wait for servers and start programs more than they compute: one worker more than there are cores keeps these at
# work. Each holds a model, so that more than a few would ask for a large machine.
SIDE_BY_SIDE = --numprocesses=$$(( $$(getconf _NPROCESSORS_ONLN) + 1 )) --maxprocesses=4 --dist=worksteal

.PHONY: test-python
test-python: $(VENV)/installed-dev $(PAGE) ## The Python half of `make test`
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

.PHONY: test-web
test-web: $(VENV)/installed-dev $(PAGE) ## The page's half: lint, types, unit tests, and a real browser
	cd web && npm run lint && npm run typecheck && npm test
	. web/browser.sh && cd web && npm run e2e

.PHONY: audit
audit: $(VENV)/installed-dev web/node_modules/.installed ## Ask the registries whether a pinned package has a known hole
	$(PIP) pip-audit
	$(BIN)/pip-audit --strict --requirement constraints.txt --disable-pip --no-deps --progress-spinner off
	cd web && npm audit

.PHONY: page
page: $(PAGE) ## Build the page into the package

.PHONY: screenshots
screenshots: $(VENV)/installed $(PAGE) ## Renew the pictures in docs/images
	. web/browser.sh && cd web && npm run screenshots

.PHONY: test-all
test-all: $(VENV)/installed-dev ## Run the slow tests too
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "slow or not slow"

.PHONY: bench
bench: $(VENV)/installed-dev $(PAGE) ## Measure speed, as ratios within one run; and the page's frames
	$(BIN)/python -m benchmarks
	. web/browser.sh && cd web && npm run bench

.PHONY: support
support: $(VENV)/installed-dev ## Examine every model type that transformers knows
	$(BIN)/python -m tests.support_table

.PHONY: format
format: $(VENV)/installed-dev ## Put the code into its format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

$(PAGE): web/node_modules/.installed $(shell find web/src web/public web/index.html web/vite.config.ts -type f)
	cd web && npm run build
	touch $@

web/node_modules/.installed: web/package.json web/package-lock.json
	@command -v npm >/dev/null || { echo "Node.js 20 or newer is needed to build the page."; exit 1; }
	cd web && npm ci --no-audit --no-fund
	touch $@

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
	rm -rf $(VENV) $(dir $(PAGE)) web/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
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
