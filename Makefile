# Everything one does with this repository. Needs Python 3.11 or newer and nothing else.

# A Python that is new enough; `make run PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
ifeq ($(strip $(PYTHON)),)
$(error Openhours needs Python 3.11 or newer, and found none)
endif

BIN := .venv/bin
# Enough for Django to read its settings; no server is contacted.
types migrations-check lint: export SECRET_KEY := only-for-checks-only-for-checks-only-for-checks
types migrations-check lint: export LINK_KEY := also-for-checks-also-for-checks-also-for-checks
types migrations-check lint: export FIELD_KEYS := b25seS1mb3ItY2hlY2tzLW9ubHktZm9yLWNoZWNrcy0=
types migrations-check lint: export DATABASE_URL := postgresql://nobody@127.0.0.1:1/none
types migrations-check lint: export REDIS_URL := redis://127.0.0.1:1/0
types migrations-check lint: export SITE_URL := http://localhost:8000

export PORT WHO

.DEFAULT_GOAL := help
.PHONY: help setup run reset code shell test unit e2e lint fmt types imports migrations-check audit bench load chaos gallery pictures browser ci requirements

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

run: ## Start everything on this machine; PORT=8000
	@$(PYTHON) bootstrap.py run

reset: ## Throw away this machine's data (.data); refuses while it runs
	@$(PYTHON) bootstrap.py install local
	@$(BIN)/python -m devservers.reset

setup: ## Install what development and tests need
	@$(PYTHON) bootstrap.py install dev

code: ## The code of a demo user's second step; WHO=olivia@linden.example
	@test -f .data/run.env || { echo "Nothing is running here: make run"; exit 1; }
	@. ./.data/run.env && $(BIN)/python manage.py demo_code "$${WHO:-olivia@linden.example}"

shell: ## A Django shell on the running site
	@test -f .data/run.env || { echo "Nothing is running here: make run"; exit 1; }
	@. ./.data/run.env && $(BIN)/python manage.py shell

test: setup browser ## All tests of every change; a skipped test fails
	$(BIN)/pytest -n 2 --dist loadfile

unit: setup ## The quick tests: rules only, no browser
	$(BIN)/pytest -q tests/unit tests/architecture

e2e: setup browser ## The journeys in a browser
	$(BIN)/pytest tests/e2e

load: setup ## Many sessions at once, and properties tried at random (long)
	HYPOTHESIS_PROFILE=search $(BIN)/pytest -m "load or hypothesis"

chaos: setup ## Every fault, repeated (long)
	$(BIN)/pytest -m chaos

bench: setup ## Measure; results in .data/bench.json
	$(BIN)/python -m benchmarks.run

gallery: setup browser ## Pictures of every page in .data/gallery
	$(BIN)/python -m tests.gallery

pictures: setup browser ## The pictures of the README, in docs/pictures
	$(BIN)/python -m tests.pictures

browser: setup
	@$(BIN)/python -m tests.browser

lint: setup types imports migrations-check ## Everything that reads the code without running it
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint templates --lint
	$(BIN)/python manage.py check

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports --no-cache

migrations-check: setup
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

audit: setup ## Look for known weaknesses in what is installed (needs the network)
	$(BIN)/uv tool run pip-audit --require-hashes --disable-pip --requirement requirements.txt

fmt: setup ## Format the code and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

ci: ## Exactly what CI runs
	.ci/run

requirements: setup ## Pin again after a change in requirements*.in
	for kind in "" -local -dev; do \
		$(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
			--no-annotate --no-header requirements$$kind.in -o requirements$$kind.txt \
			$$(test -z "$$kind" || echo --constraints requirements.txt) || exit 1; \
	done
