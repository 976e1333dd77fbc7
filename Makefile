# The commands README names. Each works on a machine with Python 3.11 and nothing else prepared.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# How many processes share the tests; each has a database of its own. 0 keeps them in one, for a debugger.
WORKERS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run reset test lint format bench faults pins dev

help:
	@echo "make run     install, start everything, print one address and the demo logins; Ctrl-C stops it"
	@echo "make reset   remove this checkout's development data (var/ and the embedded database)"
	@echo "make test    run the tests (ARGS='-k name' chooses); starts its own database unless DATABASE_URL is set"
	@echo "make lint    style, types, import rules, templates, migrations, deployment check"
	@echo "make format  rewrite the code in the one style"
	@echo "make bench   print speed ratios, each against its baseline in the same run"
	@echo "make faults  every fault of every call that opens an account or moves money, as a table; servers as for test"
	@echo "make pins    compile the requirement files anew (needs uv and a network)"

run:
	@$(PYTHON) scripts/bootstrap.py requirements.txt
	@exec $(BIN)/python -m portal.run

reset:
	@$(PYTHON) scripts/bootstrap.py requirements.txt
	@$(BIN)/python -m portal.run --reset

dev:
	@$(PYTHON) scripts/bootstrap.py requirements.txt requirements-dev.txt

test: dev
	@$(BIN)/python -m pytest -m "not bench" -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint:
	@$(PYTHON) scripts/bootstrap.py requirements.txt requirements-dev.txt requirements-lint.txt
	@BIN=$(BIN) sh scripts/lint.sh

format: dev
	@$(BIN)/python -m ruff check --fix -q . ; $(BIN)/python -m ruff format -q .

bench: dev
	@$(BIN)/python -m pytest -m bench -s tests/bench/bench_*.py $(ARGS)

faults: dev
	@FAULTS=all TRANSFERS=1000 $(BIN)/python -m pytest -n 0 tests/faults/test_money.py tests/faults/test_money_killed.py \
		tests/faults/test_account_opening.py tests/faults/test_banks.py $(ARGS)

pins:
	@for set in requirements requirements-dev requirements-lint; do \
		uv pip compile -q --python-version 3.11 --generate-hashes --no-emit-index-url --no-header $$set.in -o $$set.txt; \
	done
