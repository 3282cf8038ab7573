# Everything comes from two lock files; nothing is written outside this folder but by PostgreSQL under root.
SHELL := /bin/bash
PYTHON ?= python3
UV := .tools/bin/uv
BIN := .venv/bin
JOBS ?= 2
SAMPLES := ../shared/data
export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

SYNC = $(UV) pip sync --quiet --require-hashes --python $(BIN)/python

.PHONY: run test check bench lock browser

run: .venv/.run $(BIN)/careloop
	@exec $(BIN)/careloop up

# Tests that read the public samples are left out, aloud, where the samples do not lie beside the checkout.
test: .venv/.test $(BIN)/careloop browser
	@choice=(); \
	if [ ! -d $(SAMPLES) ]; then \
	  choice=(-m "not samples"); \
	  count=$$($(BIN)/pytest --collect-only -q -m samples 2>/dev/null | grep -c '::'); \
	  echo "No $(SAMPLES) here: $$count tests that read the sample data are not run."; \
	fi; \
	$(BIN)/pytest -n $(JOBS) --dist loadgroup "$${choice[@]}"

check: .venv/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/structure

bench: .venv/.test $(BIN)/careloop
	@$(BIN)/careloop bench $(if $(ONLY),--only $(ONLY))

lock: $(UV)
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
	  pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
	  pyproject.toml --group test --group check -c requirements.lock -o requirements-test.lock

browser:
	@if ! command -v chromium >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	  else \
	    echo "The browser tests need Chromium. On Debian: sudo apt-get install chromium" >&2; exit 1; \
	  fi; \
	fi

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Careloop needs Python 3.11 or later")'
	@$(PYTHON) -m pip install --quiet --target .tools uv==0.13.9

$(BIN)/python: | $(UV)
	@$(UV) venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" .venv

# The test environment holds all that runs, so starting the clinic never takes the tests' tools away.
.venv/.run: requirements.lock requirements-test.lock | $(BIN)/python
	@[ .venv/.test -nt requirements-test.lock ] || { rm -f .venv/.test; $(SYNC) requirements.lock; }
	@touch $@

.venv/.test: requirements-test.lock | $(BIN)/python
	@$(SYNC) requirements-test.lock
	@touch $@

$(BIN)/careloop: Makefile | $(BIN)/python
	@printf '%s\n' '#!/bin/sh' \
	  'here=$$(dirname "$$(readlink -f "$$0")")' \
	  'PYTHONPATH="$$here/../.." exec "$$here/python" -P -m infra.cli.main "$$@"' > $@
	@chmod 755 $@
