# Everything a contributor runs. PYTHON may point to another environment.
PYTHON ?= $(if $(wildcard .venv/bin/python),.venv/bin/python,python3)
PHOTOS ?= ../shared/photos
CONFIGS = fadn_cli/training/configs

.PHONY: help test test-openvino lint fmt weights teacher generalists-best generalists-fast weights-best weights-fast weights-max weights-xtrans weights-mono thaw-mono

help:
	@echo "make test     run the tests"
	@echo "make test-openvino  run the networks by OpenVINO, in an environment of its own"
	@echo "make lint     check style and types"
	@echo "make fmt      format, and fix what can be fixed"
	@echo "make weights  train and export the networks: hours on two CPU cores"

test:
	$(PYTHON) -m pytest -q

# OpenVINO's onnxruntime writes over the plain one's files: never both in one environment.
OPENVINO ?= .venv-openvino
test-openvino:
	$(PYTHON) -m venv $(OPENVINO)
	$(OPENVINO)/bin/python -m pip install -q -e '.[test]'
	$(OPENVINO)/bin/python -m pip uninstall -q -y onnxruntime onnxruntime-openvino
	$(OPENVINO)/bin/python -m pip install -q onnxruntime-openvino==1.24.1
	FADN_REQUIRE_OPENVINO=1 $(OPENVINO)/bin/python -m pytest -q -n0 -rP tests/test_openvino.py

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

fmt:
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

# The teacher first, which is the generalist of max; what it makes of a fixed set of patches; then each student's generalist,
# which learns from that (best starts as some of the teacher's own layers, fast from nothing), and the specialists that start
# from it. A run that was stopped resumes.
# One thread, as the bundled weights were trained: the number of threads changes the last bits.
TRAIN = $(PYTHON) -m fadn_cli.training.run.train --threads 1
DATA = --photos $(PHOTOS)/train-a $(PHOTOS)/train-b
RANGES = faint low high extreme

weights: weights-max weights-best weights-fast weights-xtrans weights-mono

weights-best: GENERALIST = bayer-best-from-max
weights-fast: GENERALIST = bayer-fast-wide
weights-best weights-fast: weights-%: runs/bayer-fast-taught.lessons
	$(TRAIN) $(CONFIGS)/$(GENERALIST).toml $(DATA)
	for range in $(RANGES); do $(TRAIN) $(CONFIGS)/bayer-$*-$$range.toml $(DATA) || exit 1; done
	$(PYTHON) -m fadn_cli.training.export.weights $(RANGES:%=runs/bayer-$*-%) $(DATA) --ruler $(PHOTOS)/val
	$(PYTHON) -m fadn_cli.training.export.twins $(RANGES:%=bayer-$*-%) --ruler $(PHOTOS)/val

# Made once, of a teacher that has finished.
runs/bayer-fast-taught.lessons: | teacher
	$(PYTHON) -m fadn_cli.training.run.teach $(CONFIGS)/bayer-fast-taught.toml --teacher runs/bayer-max --count 32000 $(DATA)

# Generalists of files that were bundled before: from nothing, in two halves. Experiments start from them, and mono-fast.
generalists-best generalists-fast: generalists-%:
	for half in -first ""; do $(TRAIN) $(CONFIGS)/bayer-$*$$half.toml $(DATA) || exit 1; done

# One generalist in one go, and a file for each of three ranges.
MAX_RANGES = low high extreme

teacher:
	$(TRAIN) $(CONFIGS)/bayer-max.toml $(DATA)

weights-max: teacher
	for range in $(MAX_RANGES); do $(TRAIN) $(CONFIGS)/bayer-max-$$range.toml $(DATA) || exit 1; done
	$(PYTHON) -m fadn_cli.training.export.weights $(MAX_RANGES:%=runs/bayer-max-%) $(DATA) --ruler $(PHOTOS)/val
	$(PYTHON) -m fadn_cli.training.export.twins $(MAX_RANGES:%=bayer-max-%) --ruler $(PHOTOS)/val

# X-Trans: best in two halves, fast in one, then one file each for every noise. Those for sensors without colours start from
# Bayer's: best from the run of max; fast from an earlier bayer-fast-high, so from the generalist that file was made of, under
# the name that its config knows.
weights-mono: thaw-mono
weights-xtrans: FLOATS = best-first best fast
weights-mono: FLOATS = best fast
weights-xtrans weights-mono: weights-%:
	for run in $(FLOATS) best-int8 fast-int8; do $(TRAIN) $(CONFIGS)/$*-$$run.toml $(DATA) || exit 1; done
	$(PYTHON) -m fadn_cli.training.export.weights runs/$*-best-int8 runs/$*-fast-int8 $(DATA) --ruler $(PHOTOS)/val
	$(PYTHON) -m fadn_cli.training.export.twins $*-best $*-fast --ruler $(PHOTOS)/val

thaw-mono: teacher generalists-fast
	$(PYTHON) -m fadn_cli.training.run.thaw runs/bayer-max $(CONFIGS)/mono-best.toml
	$(PYTHON) -m fadn_cli.training.run.thaw runs/bayer-fast $(CONFIGS)/mono-fast.toml
	rm -rf runs/bayer-fast-high-thawed && mv runs/bayer-fast-thawed runs/bayer-fast-high-thawed
