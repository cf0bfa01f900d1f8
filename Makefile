# Forwards to bootstrap.py, which needs nothing but Python 3.11. `make help` lists the commands.
# PORT=, HOST= and FAIRWAY_HOME= are passed on; ARGS= are further arguments (make test ARGS="-k kernel").

PYTHON ?= python3
COMMANDS := run test check security docs bench bench-status bench-intake bench-pages bench-backtest bench-audit bench-clients lock doctor help

.DEFAULT_GOAL := help
.PHONY: $(COMMANDS)

$(COMMANDS):
	@exec $(PYTHON) bootstrap.py $@ $(ARGS)
