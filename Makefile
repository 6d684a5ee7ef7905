# A bare machine needs Python, git and make; everything else is installed by these targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
API := services/mpc-api
API_BIN := $(API)/.venv/bin
PIP_INSTALL := install --quiet --disable-pip-version-check

.PHONY: up down test lint unit audit service-tests engine-tests golden reference
.PHONY: pictures screens bench bench-commands bench-api bench-rounds clean

## up: engine, base images, images and stack; ends with one generated script
up: $(VENV)/installed machine
	$(BIN)/aiinfra up
	$(BIN)/aiinfra generate script "Volcanoes" --duration 30

## down: stop the stack that `make up` started
down: $(VENV)/installed
	$(BIN)/aiinfra down

## test: every test, those on the real engine included
test: lint unit audit service-tests engine-tests

lint: $(VENV)/dev-installed $(API)/.venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(API_BIN)/python -m mypy --config-file $(API)/pyproject.toml $(API)/mpc_api

unit: $(VENV)/dev-installed
	DOCKER_HOST=unix:///nowhere/docker.sock $(BIN)/pytest tests/unit tests/golden services/litellm/tests -m "not engine"

## audit: known vulnerabilities in what is locked and installed; tools/audit.py says what it can see
audit: $(VENV)/dev-installed
	$(BIN)/python tools/audit.py

service-tests: $(API)/.venv/installed
# gcc, with the headers that its own package lacks.
	$(PYTHON) tools/programs.py redis-server g++
	cd $(API) && .venv/bin/python -m pytest

engine-tests: $(VENV)/dev-installed $(API)/.venv/installed machine
# gcc, with the headers that its own package lacks.
	$(PYTHON) tools/programs.py g++
	$(PYTHON) tools/base_images.py --tests
	$(PYTHON) tools/node.py
	$(PYTHON) tools/programs.py tmux
	$(BIN)/pytest tests services/litellm/tests -m engine

## golden: rewrite the expected files of the golden tests; look at the difference before you commit it
golden: $(VENV)/dev-installed
	$(BIN)/pytest tests/golden --update-golden

## screens: rewrite what the terminal shows, tests/e2e/screens; look at the difference before you commit it
screens: $(VENV)/dev-installed machine
	$(PYTHON) tools/programs.py tmux
	$(BIN)/pytest tests/e2e/test_screens.py tests/e2e/test_down_and_ls.py --update-golden

## reference: rewrite docs/reference.md from the code
reference: $(VENV)/dev-installed
	$(BIN)/python tools/reference.py

## bench: the measurements of the README
bench: $(VENV)/dev-installed machine
	$(BIN)/python bench/startup.py

## pictures: those of the README, from real output on a real stack
pictures: $(VENV)/dev-installed machine
	PYTHONPATH=. $(BIN)/python tools/pictures.py

## bench-commands: ps, health and plan beside `docker compose ps`
bench-commands: $(VENV)/dev-installed machine
	$(BIN)/python -m bench.commands

## bench-api: MPC-API beside an Express server, the gateway alone, its start, its memory, ten thousand mixed requests
bench-api: $(VENV)/dev-installed $(API)/.venv/installed
	$(PYTHON) tools/programs.py redis-server wrk npm
	$(BIN)/python -m bench.api

## bench-rounds: two `up` at once, and commands killed at random moments
bench-rounds: $(VENV)/dev-installed machine
	$(BIN)/python -m bench.rounds

# What a bare machine lacks: a Docker engine, and base images where no image registry can be reached.
.PHONY: machine
machine:
	$(PYTHON) tools/engine.py
	$(PYTHON) tools/base_images.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip $(PIP_INSTALL) --upgrade "pip>=25.1"

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip $(PIP_INSTALL) --editable .
	touch $@

$(VENV)/dev-installed: $(VENV)/installed
	$(BIN)/python -m pip $(PIP_INSTALL) --group dev
	$(BIN)/python -m pip uninstall --quiet --yes setuptools
	touch $@

$(API)/.venv/installed: $(API)/pyproject.toml $(API)/requirements.txt $(API)/requirements-dev.txt
	$(PYTHON) -m venv $(API)/.venv
	$(API_BIN)/python -m pip $(PIP_INSTALL) --upgrade "pip>=25.1"
	$(API_BIN)/python -m pip $(PIP_INSTALL) --require-hashes --requirement $(API)/requirements.txt
	$(API_BIN)/python -m pip $(PIP_INSTALL) --requirement $(API)/requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) $(API)/.venv .build dist .mypy_cache .ruff_cache .pytest_cache
