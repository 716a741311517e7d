# Each target sets up .venv by itself: no root, no Docker, nothing to install first but Python 3.11.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo run test check bench

PYTHON ?= python3.11
VENV := .venv/installed-monolith
RUN := .venv/bin/python

help: ## these lines
	@sed -nE 's/^([a-z]+):[^#]*## /\1|/p' Makefile | while IFS='|' read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

demo: $(VENV) ## watch 24 orders go through while a worker and the relay are killed
	@$(RUN) -m monolith.demo

run: $(VENV) ## everything in the foreground, on embedded servers; Ctrl-C stops all of it
	@$(RUN) -m monolith.run

test: $(VENV) ## all tests, on a PostgreSQL of their own; ARGS='…' goes to pytest
	@$(RUN) -m pytest $(ARGS)

check: $(VENV) ## architecture, lint, types, migrations, event schemas
	@echo "imports"; .venv/bin/lint-imports --config importlinter.cfg --no-cache
	@echo "ruff"; $(RUN) -m ruff check . && $(RUN) -m ruff format --check .
	@echo "mypy"; $(RUN) -m mypy .
	@echo "migrations"; $(RUN) -W ignore manage.py makemigrations --check --dry-run
	@echo "event schemas"; $(RUN) manage.py seams schemas check
	@echo "start-up checks"; $(RUN) manage.py check

bench: $(VENV) ## latency and throughput, into bench/results.json
	@$(RUN) -m bench

$(VENV): requirements/monolith.lock
	@echo "Setting up .venv (once, about a minute)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Python 3.11 is needed: make PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv .venv
	@$(RUN) -m pip install --disable-pip-version-check --progress-bar off --require-hashes -r requirements/monolith.lock \
	  | while read -r word rest; do case "$$word" in Collecting) printf '.';; Installing) printf ' installing ';; esac; done
	@echo "done"
	@touch $(VENV)
