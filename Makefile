# Three commands do everything on a machine with Python 3.11 or newer and make: `make demo`, `make test`, `make docs`.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
WORKERS ?= 2

.PHONY: demo test docs lint types imports unit slow clean
.DEFAULT_GOAL := demo

.venv/base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Incumbent needs Python 3.11 or newer; say which with: make PYTHON=python3.12")'
	@echo "== making .venv and installing Incumbent (a minute or two, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) install --progress-bar on -q -c constraints.txt -e .
	@touch $@

.venv/dev: .venv/base
	@echo "== installing what the tests need (once)"
	@$(PIP) install --progress-bar on -q -c constraints.txt -e '.[dev]'
	@touch $@

.venv/demo: .venv/base
	@echo "== installing PyTorch for the second act of the demo (a minute or two, once)"
	@$(PIP) install --progress-bar on -q -c constraints.txt torch safetensors
	@touch $@

demo: .venv/demo
	@$(BIN)/python examples/demo.py
	@$(BIN)/python examples/demo_net.py

test: lint types imports unit slow
	@echo "== all of it passed"

docs: .venv/dev
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "The documentation is in build/site/index.html"

lint: .venv/dev
	@echo "== lint"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/dev
	@echo "== types"
	@$(BIN)/mypy

imports: .venv/dev
	@echo "== import contracts"
	@$(BIN)/lint-imports

unit: .venv/dev
	@echo "== quick tests and doctests"
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m 'not slow'

slow: .venv/dev
	@echo "== slow tests: statistics, kills, the commands of the README"
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m slow

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
