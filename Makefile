# make demo: open the app.  make test: run the tests.  make lint: style and types.  make format: mend the style.
# Each fills .venv itself.
# The first Python here that runs and is 3.11 or 3.12 (a name on the PATH may be a shim that does not run).
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$p && break; done)
# How many processes test; each takes a core or more, and up to 3 GB with the app and the browser that it starts.
PROCESSES ?= 2
BIN := .venv/bin
BIOME := $(BIN)/node .venv/web/node_modules/@biomejs/biome/bin/biome

.PHONY: demo test lint format bench clean

demo: .venv/demo
	$(BIN)/python app.py

test: .venv/test
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder

lint: .venv/test .venv/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIOME) ci --error-on-warnings
	$(BIN)/mypy

format: .venv/test .venv/lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIOME) check --write

bench: .venv/test
	$(BIN)/python -m tests.bench.table --write

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo 'mmdemo needs Python 3.11 or 3.12'; exit 1; }
	$(PYTHON) -m venv .venv

.venv/demo: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install -q -r requirements.txt
	touch $@

.venv/test: requirements.txt train/requirements.txt tests/requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install -q -r requirements.txt -r train/requirements.txt -r tests/requirements.txt
	touch $@ .venv/demo

# Scripts and styles: Node.js comes as a wheel, and Biome as its lock file says, into .venv/web.
.venv/lint: $(wildcard tests/lint/*) | .venv/bin/python
	$(BIN)/python -m pip install -q -r tests/lint/requirements.txt
	mkdir -p .venv/web
	cp tests/lint/package.json tests/lint/package-lock.json .venv/web
	cd .venv/web && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --loglevel=error
	touch $@

clean:
	rm -rf .venv
