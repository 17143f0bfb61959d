# Everything a contributor runs. PYTHON may point to another environment.
PYTHON ?= $(if $(wildcard .venv/bin/python),.venv/bin/python,python3)
PHOTOS ?= ../shared/photos
CONFIGS = fadn_cli/training/configs

.PHONY: help test lint fmt weights

help:
	@echo "make test     run the tests"
	@echo "make lint     check style and types"
	@echo "make fmt      format, and fix what can be fixed"
	@echo "make weights  train and export the networks: days on a CPU, hours on a GPU"

test:
	$(PYTHON) -m pytest -q

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

fmt:
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

# Training stops and resumes where it was; weights/README.md says how the bundled ones were made.
weights:
	$(PYTHON) -m fadn_cli.training.train $(CONFIGS)/bayer-fast-low.toml --photos $(PHOTOS)/train-a $(PHOTOS)/train-b
	$(PYTHON) -m fadn_cli.training.train $(CONFIGS)/bayer-fast-high.toml --photos $(PHOTOS)/train-a $(PHOTOS)/train-b
	$(PYTHON) -m fadn_cli.training.export runs/bayer-fast-low runs/bayer-fast-high --photos $(PHOTOS)/train-a --ruler $(PHOTOS)/val
