# Everything a newcomer or a build server types. `make` alone lists it.
#
# Needs Python >= 3.11 with its venv module; Node.js with npm to build GraphiQL ourselves; uv only
# to change the locked versions. Another interpreter: make serve PYTHON=python3.13

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
PORT ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help serve test soak lint format types schema docs lock audit explorer clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: $(INSTALLED) ## start everything; PORT=8123 picks a port, MONGODB_URI another MongoDB
	@if command -v npm >/dev/null; then node explorer/build.js || true; fi
	@exec $(BIN)/kubeorch serve $(if $(PORT),--port $(PORT))

test: $(INSTALLED) ## everything that CI checks: style, types, rooms, then the tests
	@if command -v npm >/dev/null; then node explorer/build.js $(if $(CI),,|| true); fi
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

soak: $(INSTALLED) ## the long tests in their full length
	KUBEORCH_SOAK=1 $(BIN)/pytest -m soak

lint: $(INSTALLED) ## style and import rules only
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

format: $(INSTALLED) ## put the code in its form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: $(INSTALLED) ## mypy --strict
	$(BIN)/mypy

schema: $(INSTALLED) ## write schema/schema.graphql anew; BREAKING=1 when clients are to break
	$(BIN)/kubeorch schema $(if $(BREAKING),,--against schema/schema.graphql) \
		> schema/schema.graphql.new
	mv schema/schema.graphql.new schema/schema.graphql

docs: $(INSTALLED) ## write docs/kinds.md anew
	$(BIN)/kubeorch kinds > docs/kinds.md.new
	mv docs/kinds.md.new docs/kinds.md

audit: $(INSTALLED) ## what the reference clients say of our HTTP, websockets and event streams
	CI=1 $(BIN)/pytest tests/conformance

explorer: ## build GraphiQL, when npm is there
	@command -v npm >/dev/null || { echo "make explorer needs Node.js with npm" >&2; exit 1; }
	@node explorer/build.js

LOCK := uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --no-emit-index-url

lock: ## lock the newest versions that pyproject.toml allows; needs uv
	@command -v uv >/dev/null || { echo "make lock needs uv" >&2; exit 1; }
	$(LOCK) --upgrade --extra embedded --extra dev --output-file requirements.lock
	$(LOCK) --upgrade --constraints requirements.lock --output-file requirements-image.lock

clean: ## remove what was built and installed; the data in .kubeorch stays
	rm -rf $(VENV) build dist *.egg-info app/web/static/explorer
	rm -rf explorer/dist explorer/node_modules conformance/node_modules bench/fanout/yoga/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find app schema tests -name __pycache__ -prune -exec rm -rf {} +

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"KubeOrch needs Python 3.11 or newer; name one: make PYTHON=python3.12 " "$(MAKECMDGOALS)")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@
