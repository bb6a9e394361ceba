#!/bin/sh
# All linters, each with its name and time; the first that fails ends the run.
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/.venv/bin
collection=.cache/collections/ansible_collections/cubeops/cubejs
export ANSIBLE_HOME="$PWD/.cache/ansible" ANSIBLE_COLLECTIONS_PATH="$PWD/.cache/collections"
export PATH="$bin:$PATH" NO_COLOR=1

step() {
    name=$1
    shift
    started=$(date +%s)
    echo "lint: $name"
    "$@" || { echo "lint: $name FAILED" >&2; exit 1; }
    echo "lint: $name ok ($(($(date +%s) - started)) s)"
}

step "ruff format" ruff format --check --quiet .
step "ruff check" ruff check --quiet .
export MYPYPATH=.cache/collections
step "mypy --strict" mypy --no-error-summary "$collection/plugins"
step "mypy of the tools" mypy --no-error-summary tests/lab/lab.py tests/run.py
step "yamllint" yamllint --strict .
step "shellcheck" shellcheck tests/*.sh tests/bench/*.sh tests/lab/*.sh requirements/*.sh
step "codespell" codespell --quiet-level 2
step "ansible-lint" ansible-lint --strict -q
