# The commands of everyday work. `make check` is what CI runs.

PYTHON ?= python
NPM ?= npm

# Each process of the tests would otherwise compile all of them, and the program, anew.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help fast check run lint types unit coverage integration browser javascript peers alone soak

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

fast: lint types unit ## Lint, types, and the tests that start nothing: a minute or two

check: lint types javascript coverage integration browser peers alone soak ## Exactly what CI runs

run: ## Start the app
	$(PYTHON) app.py

lint: ## Style
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types: ## Types of the program, the tests and the bench
	$(PYTHON) -m mypy

unit: ## Pure and unit tests
	$(PYTHON) -m pytest -m "not integration and not browser and not soak"

coverage: ## The same; the pure modules must be covered entirely
	$(PYTHON) -m pytest -m "not integration and not browser and not soak" --cov --cov-report=
	$(PYTHON) -m coverage report --include="$$($(PYTHON) tests/pure.py)" --fail-under=100

integration: ## Processes and peers on loopback, friendly and hostile
	$(PYTHON) -m pytest -m "integration and not browser and not peers"

browser: ## What a person sees, in Chromium
	$(PYTHON) -m pytest -m "browser and not alone and not peers"

javascript: ## Lint, types and tests of the scripts in the browser
	$(NPM) ci --prefix tests/javascript --no-audit --no-fund --loglevel=error
	$(NPM) --prefix tests/javascript run check
	$(NPM) --prefix tests/javascript test

peers: ## What is installed into environments of its own: clients and servers of others, the image
	$(PYTHON) -m pytest -m peers tests/peers tests/browser/test_agents_sdk.py tests/deploy/test_image.py

alone: ## What is timed in a browser to some milliseconds, with nothing beside it
	$(PYTHON) -m pytest -n 0 -m alone

soak: ## Calls that are dropped in every ugly way, for two minutes; nothing of them may be left
	$(PYTHON) -m pytest -n 0 -m soak
