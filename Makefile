# make demo   POD Loss beside Softmax on real handwritten digits, a few minutes on a CPU
# make test   linter and test suite
# Both install the package first: into the active virtual or conda environment, else into .venv, which they create.

ENV := $(or $(VIRTUAL_ENV),$(CONDA_PREFIX),$(CURDIR)/.venv)
RUN := PATH="$(ENV)/bin:$$PATH" PYTHONPATH= PYTHONWARNINGS=ignore
# Two test files at a time: each test takes one thread, and those of a file share what they train.
PARALLEL := -n 2 --dist loadfile
# Named after this checkout, because an environment holds one editable install of mmpod at a time.
STAMP := $(ENV)/.mmpod$(subst /,-,$(CURDIR))

.PHONY: demo test test-all lint format benchmark

demo: $(STAMP)
	$(RUN) python tools/compare.py configs/pod_resnet18w8_digits.py configs/softmax_resnet18w8_digits.py \
	  configs/gda_resnet18w8_digits.py \
	  --work-dir work_dirs/demo --target 95

test: lint
	$(RUN) python -m pytest $(PARALLEL)

test-all: lint
	$(RUN) python -m pytest $(PARALLEL) -m ''

lint: $(STAMP)
	$(RUN) ruff check .
	$(RUN) ruff format --check .

format: $(STAMP)
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

benchmark: $(STAMP)
	$(RUN) python benchmarks/centroids.py
	$(RUN) python benchmarks/pod_loss.py
	$(RUN) python benchmarks/losses.py
	$(RUN) python benchmarks/training_step.py
	OMP_NUM_THREADS=1 $(RUN) python benchmarks/gda.py

$(ENV)/bin/python:
	python3 -m venv "$(ENV)"

$(STAMP): setup.py pyproject.toml $(wildcard requirements/*.txt) | $(ENV)/bin/python
	rm -f "$(ENV)"/.mmpod-*
	$(RUN) python -m pip install --disable-pip-version-check -e '.[demo,tests]'
	touch "$@"
