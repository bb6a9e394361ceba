# The front door: `make help`. Continuous integration runs these same targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help
ROOT := $(CURDIR)
BIN := .venv/bin
LAB := $(BIN)/python tests/lab/lab.py
COLLECTIONS := $(ROOT)/.cache/collections
HERE := $(COLLECTIONS)/ansible_collections/cubeops/cubejs
PYTHON_FILES := plugins tests examples
export PIP_DISABLE_PIP_VERSION_CHECK := 1

SCENARIOS := $(notdir $(patsubst %/molecule.yml,%,$(wildcard molecule/*/molecule.yml)))

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z%-]+):.*## (.*)/  \1|\2/' | column -t -s '|'
	@echo "  scenarios: $(SCENARIOS)"

# --- the two commands ---------------------------------------------------------------------------

.PHONY: quickstart
quickstart: setup-run ## A running stack on a throw-away host, a query over HTTPS, and what it cost
	@$(BIN)/python examples/quickstart/quickstart.py

.PHONY: test
test: setup-dev ## All tests: lint, sanity, unit, contract, browser, molecule; ends with one summary
	@$(BIN)/python tests/run.py

# --- setting up ---------------------------------------------------------------------------------

.PHONY: setup-run setup-dev
setup-run setup-dev: setup-%:
	@sh tests/lab/bootstrap.sh $*
	@$(LAB) setup

.PHONY: lock
lock: ## Lock requirements/*.in anew
	@sh requirements/lock.sh

.PHONY: clean
clean: ## Remove everything that these targets made, test hosts and quick start included
	@if [ -d .cache ]; then python3 tests/lab/lab.py clean; fi
	@rm -rf .venv .cache .ansible .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@rm -rf "$${XDG_STATE_HOME:-$$HOME/.local/state}/cubeops/quickstart"
	@echo "clean: removed .venv, .cache, test hosts and the quick start's state"

# --- without hosts ------------------------------------------------------------------------------

.PHONY: check
check: lint unit contract ## Everything that needs no host: lint, unit, contract

.PHONY: lint
lint: setup-dev ## ruff, mypy, yamllint, ansible-lint (production), codespell
	@sh tests/lint.sh

.PHONY: sanity
sanity: setup-dev ## ansible-test sanity
	@bash tests/sanity.sh

.PHONY: unit
unit: setup-dev ## Unit tests (a minute or two)
	@$(BIN)/python -m pytest -q -n 2 tests/unit

.PHONY: contract
contract: setup-dev ## The repository checked against itself
	@$(BIN)/python -m pytest -q tests/contract

.PHONY: browser
browser: setup-dev ## The page of findings in a headless Chromium; pictures in .cache/browser
	@$(BIN)/python -m pytest -q tests/browser

.PHONY: docs
docs: setup-dev ## Render README tables and docs/ from specs, rows and docstrings
	@PYTHONPATH=$(COLLECTIONS) $(BIN)/python docs/render.py

.PHONY: explain
explain: setup-run ## What a rule is about: make explain RULE=redis-pool-size
	@PYTHONPATH=$(COLLECTIONS) $(BIN)/python docs/explain.py $(RULE)

# --- on test hosts ------------------------------------------------------------------------------

molecule-%: setup-dev ## One scenario from nothing to destroyed: make molecule-redis
	@$(LAB) molecule $* test

converge-%: setup-dev ## Bring one scenario's hosts up (or to date) and keep them
	@$(LAB) molecule $* converge

verify-%: setup-dev ## Run one scenario's tests on the hosts it keeps
	@$(LAB) molecule $* verify

check-%: setup-dev ## Run one scenario's converge.yml in check mode
	@$(LAB) molecule $* check

destroy-%: setup-dev ## Remove one scenario's hosts
	@$(LAB) molecule $* destroy

.PHONY: bench-engine
bench-engine: setup-run ## Measure what reading a host and judging 10,000 instances cost (two minutes, no host)
	@PYTHONPATH=$(COLLECTIONS) $(BIN)/python tests/bench/observation.py
	@PYTHONPATH=$(COLLECTIONS) $(BIN)/python tests/bench/engine.py

.PHONY: bench-scaling
bench-scaling: setup-dev ## Measure what tenants and hosts cost: 1 to 300 tenants, 1 to 4 hosts, the plan (about 25 minutes)
	@PYTHONPATH=$(COLLECTIONS) $(BIN)/python tests/bench/planning.py
	@$(BIN)/python tests/bench/scaling.py

.PHONY: bench
bench: setup-dev ## Measure, in ratios, what docs/performance.md says (about 25 minutes)
	@$(BIN)/python tests/bench/bench.py
