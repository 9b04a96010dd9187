# Every command sets up what it needs first; see packaging/prepare.py.
#   make run                       open Bureau
#   make test [ARGS="tests/vault"] run every check and test, or some
# The environment's own Python once it is there: `python3` may be a slow wrapper.
PYTHON ?= $(shell test -x .venv/bin/python && echo .venv/bin/python || echo python3)
PREPARE = @$(PYTHON) packaging/prepare.py

.PHONY: run setup test check bench bench-recall bench-librarian prove-erasure shots lock requirements
run setup test check bench bench-librarian prove-erasure shots lock requirements:
	$(PREPARE) $@ $(ARGS)

bench-recall:
	$(PREPARE) $@ "$(LOCOMO)" $(ARGS)
