# Needs Python 3.11 or newer and make, nothing else. `make demo` is the place to begin.
PYTHON ?= python3
VENV ?= .venv
RUN ?= runs/demo

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: venv install demo wheel-demo test docs check clean

venv: $(VENV)/.made
install: $(VENV)/.installed

# stamp files: a second call installs nothing again unless pyproject.toml has changed
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "SpecDM needs Python 3.11 or newer; name one: make PYTHON=python3.12"; exit 1; }
	@echo "== virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml
	@echo "== installing SpecDM and what it needs (a few minutes the first time)"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.installed
	@echo "== installing what the tests need"
	@$(PIP) install --editable '.[test]'
	@touch $@

$(VENV)/.check: $(VENV)/.installed
	@echo "== installing ruff and mypy"
	@$(PIP) install --editable '.[check]'
	@touch $@

demo: $(VENV)/.installed
	@$(BIN)/specdm demo --output $(RUN)

# the demonstration as whoever installs from PyPI has it: from the wheel, in an environment with nothing else
wheel-demo: $(VENV)/.made
	@rm -rf build/wheel && $(PIP) wheel --no-deps --wheel-dir build/wheel .
	@$(PYTHON) -m venv build/wheel/venv
	@build/wheel/venv/bin/python -m pip --disable-pip-version-check install build/wheel/*.whl
	@cd build/wheel && venv/bin/specdm demo --output ../../$(RUN)

test: $(VENV)/.test
	@$(BIN)/python -m pytest

# the tests need what the documentation needs
docs: $(VENV)/.test
	@$(BIN)/mkdocs build --strict

check: $(VENV)/.check
	@$(BIN)/ruff check
	@$(BIN)/mypy

clean:
	rm -rf $(VENV) build dist site .pytest_cache .ruff_cache .mypy_cache .hypothesis
