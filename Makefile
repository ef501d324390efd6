# make demo   POD Loss beside Softmax on real handwritten digits, a few minutes on a CPU
# make test   linter and test suite
# Both install the package first: into the active virtual or conda environment, else into .venv, which they create.
# make test-oldest, test-newest, test-onedl   the suite on other versions, each in an environment of its own, .envs/NAME;
#   PYTHON=... names the interpreter to make it with

ENV := $(or $(VIRTUAL_ENV),$(CONDA_PREFIX),$(CURDIR)/.venv)
RUN := PATH="$(ENV)/bin:$$PATH" PYTHONPATH= PYTHONWARNINGS=ignore
# Two test files at a time: each test takes one thread, and those of a file share what they train.
PARALLEL := -n 2 --dist loadfile
# Named after this checkout, because an environment holds one editable install of mmpod at a time.
STAMP := $(ENV)/.mmpod$(subst /,-,$(CURDIR))

STACKS := oldest newest onedl

.PHONY: demo test test-all lint format benchmark $(STACKS:%=test-%)

demo: $(STAMP)
	$(RUN) python tools/compare.py configs/small/pod_digits.py configs/small/softmax_digits.py \
	  configs/small/gda_digits.py \
	  --work-dir work_dirs/demo --target 95

test: lint
	$(RUN) python -m pytest $(PARALLEL)

test-all: lint
	$(RUN) python -m pytest $(PARALLEL) -m ''

test-oldest: PYTHON ?= python3.9
test-newest: PYTHON ?= python3.13
test-onedl: PYTHON ?= python3.12

$(STACKS:%=test-%): test-%: .envs/%/.mmpod
	PATH="$(CURDIR)/.envs/$*/bin:$$PATH" PYTHONPATH= PYTHONWARNINGS=ignore python -m pytest $(PARALLEL)

.envs/%/.mmpod: requirements/%.txt setup.py pyproject.toml requirements/runtime.txt requirements/tests.txt
	@command -v "$(PYTHON)" > /dev/null || { echo 'Expected the interpreter `$(PYTHON)` to be there, but it is not.' \
	  'Install it, or name another: make test-$* PYTHON=/path/to/python'; exit 1; }
	rm -rf ".envs/$*"
	"$(PYTHON)" -m venv ".envs/$*"
	.envs/$*/bin/python -m pip install --disable-pip-version-check -r requirements/$*.txt
	.envs/$*/bin/python -m pip install --disable-pip-version-check -c requirements/$*.txt -e '.[demo,tests]'
	touch "$@"

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
