# make run    chat with the built-in personas at the printed address
# make test   set up and run every check and test
# make check  ruff, mypy, import-linter
# make bench  measure; prints the figures of the README
# make soak   kill, pause and starve it for an hour; ARGS="--minutes 10" for less
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check install --quiet
ARGS ?=
# Tests start hundreds of programs, which else compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check bench soak system clean
.DEFAULT_GOAL := run

run: $(VENV)/.installed
	@$(BIN)/parley run $(ARGS)

test:
	@$(MAKE) --no-print-directory --jobs 2 $(VENV)/.tested system
	@$(MAKE) --no-print-directory check
	@$(BIN)/pytest -n logical --maxprocesses 4 --max-worker-restart 0 --dist loadfile

check: $(VENV)/.tested
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --num-workers auto
	@$(BIN)/lint-imports

bench: $(VENV)/.tested
	@$(BIN)/python -m tests.benchmarks $(ARGS)

soak: $(VENV)/.tested
	@$(BIN)/python -m tests.crash $(ARGS)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Parley needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# torch comes first and alone, so that no resolver replaces a CPU build that is at hand.
$(VENV)/.torch: | $(BIN)/python
	@echo "Installing torch (once; this is the long part)"
	@$(PIP) 'torch>=2.11,<2.14'
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.torch
	@echo "Installing Parley"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.tested: pyproject.toml $(VENV)/.torch
	@echo "Installing Parley and what its tests need"
	@$(PIP) --editable '.[test]'
	@touch $(VENV)/.installed $@

# What the tests need beside Python: Chromium and a Chinese font for the pages, npm to rebuild the widget,
# nginx for the proxy's settings, PostgreSQL and Redis for the store and the bus.
system:
	@missing=""; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	fc-list 2>/dev/null | grep -qi 'cjk' || missing="$$missing fontconfig fonts-noto-cjk"; \
	command -v npm >/dev/null || missing="$$missing nodejs npm"; \
	PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null || missing="$$missing nginx-light"; \
	{ command -v postgres || ls /usr/lib/postgresql/*/bin/postgres; } >/dev/null 2>&1 || missing="$$missing postgresql"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing$$missing"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; \
	else \
		echo "The tests need:$$missing. Install them, for example: sudo apt-get install$$missing"; exit 1; \
	fi

clean:
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
