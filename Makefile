# `make lab` and `make test` need Python 3.11, make and a network connection once.
# PYTHON=... names the interpreter, PORT=... and HOST=... where the lab listens, OUT=... where the gallery goes.

PORT ?= 8765
HOST ?= 127.0.0.1
OUT ?= gallery
ARGS ?=
PYTHON ?= $(shell for p in python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$p && break; done)

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable
LAB := $(VENV)/.lab-installed
TEST := $(VENV)/.test-installed
DEV := $(VENV)/.dev-installed
BENCH := $(VENV)/.bench-installed
KERNELS := $(VENV)/.kernels-compiled
export GOMP_SPINCOUNT ?= 10000

.DEFAULT_GOAL := help
.PHONY: help lab test bench gallery lint clean

help:  ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile | expand -t 15

lab: $(LAB) $(KERNELS)  ## install into .venv and open the lab in the browser (PORT=, HOST=)
	@exec $(BIN)/glassnet lab --host $(HOST) --port $(PORT) $(ARGS)

test: $(TEST) $(KERNELS)  ## install into .venv and run the tests (ARGS="-k mlp" passes options on)
	$(BIN)/python -m pytest $(ARGS)

bench: $(BENCH) $(KERNELS)  ## measure against other libraries (takes minutes)
	$(BIN)/python -m benchmarks $(ARGS)

gallery: $(LAB) $(KERNELS)  ## draw every picture once, into OUT=gallery
	$(BIN)/python -m glassnet.plots.gallery $(OUT) $(ARGS)

lint: $(DEV)  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

clean:  ## remove .venv and everything that can be made again
	rm -rf $(VENV) build dist .numba_cache .pytest_cache .ruff_cache .hypothesis
	find glassnet tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "glassnet needs Python 3.11, and there is none on the PATH." \
	"Install it, or name it: make lab PYTHON=/path/to/python3.11" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(LAB): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing glassnet into $(VENV); the first time takes a few minutes."
	$(INSTALL) '.[notebook,digits,text]'
	@touch $@

$(TEST): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing glassnet and its test tools into $(VENV); the first time takes a few minutes."
	$(INSTALL) '.[test]'
	@touch $(LAB) $@

$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) '.[dev]'
	@touch $(LAB) $(TEST) $@

$(BENCH): pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) '.[bench]'
	@touch $(LAB) $(TEST) $@

$(KERNELS): glassnet/learning/kernels.py glassnet/learning/kernels_lanes.py | $(BIN)/python
	@echo "Compiling the kernels."
	$(BIN)/python -m glassnet.learning.kernels
	@touch $@
