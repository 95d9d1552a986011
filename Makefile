# One word runs everything. Needs Python 3.11 or newer with venv, and make; all else comes from uv.lock into .venv.

.DEFAULT_GOAL := help
.PHONY: help demo test test-long check format bench clean

# What is typed under mypy --strict, and what ruff would not find by itself because it has no suffix.
TYPED := bot scripts scripts/init-secrets
UNSUFFIXED := scripts/init-secrets
BIN := .venv/bin
READY := .venv/.ready
WORKERS ?= 2

# Where somebody's shell forbids it, each of the many commands that the tests start would compile all of Python's libraries anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

demo: $(READY) ## the bot, a phone and a console in your browser, on data in .recado
	@$(BIN)/recado demo

check: $(READY) ## format, lint, types, import contract: what needs no server
	$(BIN)/ruff format --check . $(UNSUFFIXED)
	$(BIN)/ruff check . $(UNSUFFIXED)
	$(BIN)/mypy $(TYPED)
	$(BIN)/lint-imports --no-cache --no-logo

test: check ## check, then every test but the long ones, on the embedded database and in a real browser
	@scripts/ensure-browser
	$(BIN)/pytest -m "not long" --ignore=tests/bench -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-long: $(READY) ## the long forms: soaks, ten thousand histories, the long crash test
	@scripts/ensure-browser
	$(BIN)/pytest -m long --ignore=tests/bench --timeout=7200

bench: $(READY) ## times, which the tests do not assert
	$(BIN)/pytest tests/bench -s -p no:cacheprovider --timeout=3600

format: $(READY) ## mend what ruff can mend
	$(BIN)/ruff format . $(UNSUFFIXED)
	$(BIN)/ruff check --fix . $(UNSUFFIXED)

clean: ## remove .venv, caches and builds; the demo's data in .recado stays
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find bot tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment follows the lock: it is synced again whenever one of these files changes.
$(READY): uv.lock pyproject.toml scripts/bootstrap.txt scripts/bootstrap.py
	@python=$$(PYTHON="$(PYTHON)" scripts/find-python) && "$$python" scripts/bootstrap.py
	@touch $@
