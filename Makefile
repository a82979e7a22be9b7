# Everything runs in .venv, which the first command that needs it makes. With nothing changed, later ones install nothing.
#   make demo   attack clips, purify them, print the table (make demo ARGS="--n-clips 20 --eps 4/255")
#   make test   the notebooks, then pytest           make test-fast   the tests that take seconds
#   make lab    JupyterLab on the notebooks          make docs        the site, into _docs
PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
BIN    := $(VENV)/bin
# run-time: the library; dev: what the notebooks, tests and site need on top of it
RUN    := $(VENV)/.installed
DEV    := $(VENV)/.installed-dev
PIP    := $(BIN)/python -m pip install --disable-pip-version-check -qq -c constraints.txt
# as a line in a .pth file: found from any folder, also one that has a folder videopure, and by type checkers
EDIT   := --config-settings editable_mode=compat

.PHONY: help env demo test test-fast fuzz lab docs readme stubs clean
help:
	@sed -n '2,4s/^# //p' Makefile

$(RUN): settings.ini constraints.txt setup.py
	@$(PYTHON) -c 'import sys; sys.exit("videopure needs Python 3.11 or newer; try: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@echo "Installing into $(VENV), once; this takes a few minutes:"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo '  torch ...'
	@$(PIP) torch
	@echo '  the library ...'
	@$(PIP) -e . $(EDIT)
	@touch $@

$(DEV): $(RUN)
	@echo '  what the notebooks, tests and site need ...'
	@$(PIP) -e ".[dev]" $(EDIT)
	@touch $@

env: $(DEV)

demo: $(RUN)
	$(BIN)/videopure demo $(ARGS)

# one thread a process: notebooks run side by side, and so do the files of tests
test: $(DEV)
	OMP_NUM_THREADS=1 $(BIN)/nbdev_test --timing
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-fast: $(DEV)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow" $(ARGS)

# as many odd inputs as FUZZ says; how they ended is printed at the end
FUZZ = 10000
fuzz: $(DEV)
	OMP_NUM_THREADS=1 FUZZ=$(FUZZ) $(BIN)/python -m pytest -q tests/test_fuzz.py $(ARGS)

# the notebooks are trusted, so that their players play; and opened without being marked as modified
lab: $(DEV)
	cd nbs && "$(abspath $(BIN))/jupyter-trust" *.ipynb */*.ipynb > /dev/null
	cd nbs && "$(abspath $(BIN))/jupyter-lab" --config=../tools/jupyter_config.py index.ipynb $(ARGS)

docs: $(DEV)
	$(BIN)/python tools/docs.py

readme: $(DEV)
	$(BIN)/python tools/readme.py

stubs: $(DEV)
	$(BIN)/python tools/stubs.py

clean:
	rm -rf $(VENV) _docs _proc build dist *.egg-info .pytest_cache .ruff_cache
