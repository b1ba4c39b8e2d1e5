# The two commands a newcomer needs are `make run` and `make test`; both build what they need.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# One test worker more than there are processors: some tests wait for processes, browsers and PostgreSQL.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
COVERED := tests/unit tests/storage tests/templates tests/sandbox tests/security
TRANSACTIONS := tests/security/test_repeats.py tests/security/test_connect.py tests/security/test_logs.py
STAGED := tests/scenarios tests/delivery $(TRANSACTIONS)
NOTES := .pytest_cache/statements
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help run test test-more check lint types layers migrations bench chaos fuzz lock clean

help:            ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ —/'

$(STAMP): requirements-dev.txt pyproject.toml
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(STAMP)    ## start the bot in its built-in workspace; EXAMPLE=six-months for a longer story
	@$(BIN)/cadence run $(EXAMPLE:%=--example %)

test: $(STAMP)   ## run the tests: the suite on SQLite
	$(PYTEST) -m "not postgres and not browser and not long"

test-more: $(STAMP) ## run what else CI does: PostgreSQL, the browser, chaos and fuzzing in short
	$(PYTEST) -m "postgres or browser or long"
	$(PYTEST) -m "not long" --postgres $(STAGED)

lint: $(STAMP)   ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## strict mypy
	$(BIN)/mypy

layers: $(STAMP) ## import-linter: data walks one way
	$(BIN)/lint-imports

migrations: $(STAMP) ## the tables and the migrations say the same
	$(BIN)/cadence migrate --check

check: lint types layers migrations ## everything CI runs; on PostgreSQL it repeats tests until each statement has run
	rm -rf $(NOTES)
	$(PYTEST) --statements=$(NOTES) $(COVERED:%=--ignore=%)
	$(PYTEST) --cov --cov-report=term:skip-covered --cov-fail-under=80 $(COVERED)
	$(PYTEST) -m "not long" --postgres --statements=$(NOTES) $(STAGED)

bench: $(STAMP)  ## measure: every part, or one with PART=rules
	@$(BIN)/python -m tests.bench $(PART)

chaos: $(STAMP)  ## kill workers and PostgreSQL at random while 1,500 messages go out; minutes
	@$(BIN)/python -m tests.chaos

fuzz: $(STAMP)   ## send 20,000 mutated requests to the bot, and the API what its document allows; another draw with SEED=1, one again with ONLY=17
	@$(BIN)/python -m tests.fuzz $(SEED:%=--seed %) $(REQUESTS:%=--requests %) $(ONLY:%=--only %)

lock: $(STAMP)   ## pin the dependencies again
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile -q --no-header --no-strip-extras --generate-hashes --universal --python-version 3.11 pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --no-header --no-strip-extras --generate-hashes --universal --python-version 3.11 --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

clean:           ## remove what was built
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .coverage *.egg-info build var
