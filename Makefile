# make demo        POD Loss beside Softmax on real handwritten digits, one to two minutes on two CPU cores
# make test        linter, types, and the test suite without its slow tests
# make test-unit   the tests of single functions and classes only; make test-all: the slow ones too
# make test-gpu    the tests that need a GPU, which `make test` hides
# make docs        the site, into site/; make docs-version: on the branch gh-pages, beside those of other versions
# Each installs what is missing first: into the active virtual or conda environment, else into .venv, which it creates.
# make test-oldest, test-newest, test-onedl   the suite on other versions, each in an environment of its own, .envs/NAME;
#   PYTHON=... names the interpreter to make it with

ENV := $(or $(VIRTUAL_ENV),$(CONDA_PREFIX),$(CURDIR)/.venv)
RUN := PATH="$(ENV)/bin:$$PATH" PYTHONPATH= PYTHONWARNINGS=ignore
# Two test files at a time: each test takes one thread, and those of a file share what they train.
PARALLEL := -n 2 --dist loadfile
# In the order of their names the long integration tests come first, and neither worker ends much later than the other.
SUITE := $(PARALLEL) --no-loadscope-reorder
# Named after this checkout, because an environment holds one editable install of mmpod at a time.
STAMP := $(ENV)/.mmpod$(subst /,-,$(CURDIR))
REQUIREMENTS := $(wildcard requirements/*.txt)

# Of the demo.
SEEDS := 0 1 2

STACKS := oldest newest onedl
PYTHON_oldest := python3.9
PYTHON_newest := python3.13
PYTHON_onedl := python3.12

.PHONY: demo test test-suite test-unit test-all test-gpu lint typecheck format benchmark $(STACKS:%=test-%)
.PHONY: docs docs-version docs-requirements

demo: | $(ENV)/bin/python
	cd / && $(RUN) python -c 'import mmpod, os, pandas, seaborn, sklearn; \
	  assert os.path.samefile(mmpod.__path__[0], "$(CURDIR)/mmpod")' 2> /dev/null || $(RUN) python -m pip install \
	  --disable-pip-version-check -e '$(CURDIR)[demo,experiments]'
	$(RUN) python tools/compare.py configs/small/pod_digits.py configs/small/pod_digits_bn.py \
	  configs/small/softmax_digits.py --seeds $(SEEDS) --jobs 2 --work-dir work_dirs/demo --target 95
	@echo 'Next, your own images: docs/tutorial.md. Your own config:' \
	  'python tools/convert_config.py YOUR_CONFIG.py -o NEW_CONFIG.py'

test: lint typecheck test-suite

test-suite: $(STAMP)
	$(RUN) python -m pytest $(SUITE)

test-unit: $(STAMP)
	$(RUN) python -m pytest $(PARALLEL) tests/unit

test-all: lint typecheck
	$(RUN) python -m pytest $(SUITE) -m ''

test-gpu: $(STAMP)
	$(RUN) python -m pytest tests/gpu -m gpu

lint: $(STAMP)
	$(RUN) ruff check .
	$(RUN) ruff format --check .

typecheck: $(STAMP)
	$(RUN) mypy

format: $(STAMP)
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

docs: docs-requirements
	$(RUN) mkdocs build --strict

docs-version: docs-requirements
	$(RUN) mike deploy --update-aliases "$$($(ENV)/bin/python -c 'from mmpod import __version__; print(__version__)')" latest
	$(RUN) mike set-default latest
	@echo 'Publish it: git push origin gh-pages'

docs-requirements: $(STAMP)
	$(RUN) python -c 'import mike, mkdocs, mkdocstrings' || $(RUN) python -m pip install -r requirements/docs.txt

benchmark: $(STAMP)
	$(RUN) python benchmarks/centroids.py
	$(RUN) python benchmarks/pod_loss.py
	$(RUN) python benchmarks/losses.py
	$(RUN) python benchmarks/training_step.py
	OMP_NUM_THREADS=1 $(RUN) python benchmarks/gda.py

$(STACKS:%=test-%): test-%: .envs/%/.mmpod
	PATH="$(CURDIR)/.envs/$*/bin:$$PATH" PYTHONPATH= PYTHONWARNINGS=ignore python -m pytest $(SUITE)

# requirements/NAME.txt says what stands for the requirements of mmpod, hence --no-deps.
.envs/%/.mmpod: PYTHON ?= $(PYTHON_$*)
.envs/%/.mmpod: $(REQUIREMENTS) setup.py pyproject.toml
	@command -v "$(PYTHON)" > /dev/null || { echo 'Expected the interpreter `$(PYTHON)` to be there, but it is not.' \
	  'Install it, or name another: make test-$* PYTHON=/path/to/python'; exit 1; }
	rm -rf ".envs/$*"
	"$(PYTHON)" -m venv ".envs/$*"
	.envs/$*/bin/python -m pip install --disable-pip-version-check -r requirements/$*.txt \
	  $(addprefix -r requirements/,demo.txt experiments.txt export.txt tools.txt tests.txt)
	.envs/$*/bin/python -m pip install --disable-pip-version-check --no-deps -e .
	touch "$@"

$(ENV)/bin/python:
	python3 -m venv "$(ENV)"

$(STAMP): setup.py pyproject.toml $(REQUIREMENTS) | $(ENV)/bin/python
	rm -f "$(ENV)"/.mmpod-*
	$(RUN) python -m pip install --disable-pip-version-check -e '.[tests]'
	touch "$@"
