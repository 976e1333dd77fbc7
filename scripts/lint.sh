#!/bin/sh
# Everything that reads the code without running it. All checks run, so that one round shows all there is to do.
set -u
BIN=${BIN:-.venv/bin}
export PYTHONPATH=.
failed=""

check() {
  name=$1
  shift
  "$@" || { failed="$failed $name"; echo "--- $name found something"; }
}

# The settings need secrets and an address even to be read; these are made up.
with() { "$BIN/python" scripts/with_test_env.py "$@"; }

check ruff "$BIN/python" -m ruff check -q .
check format "$BIN/python" -m ruff format -q --check .
check mypy with "$BIN/python" -m mypy portal providers compliance onboarding funding sandbox
check imports "$BIN/lint-imports" --no-cache --no-logo
check templates "$BIN/python" -m djlint --lint --quiet templates
check migrations with --database "$BIN/python" manage.py makemigrations --check --dry-run
check deployment with --production "$BIN/python" manage.py check --deploy --fail-level WARNING

[ -z "$failed" ] || { echo "lint: not clean:$failed"; exit 1; }
echo "lint: clean"
