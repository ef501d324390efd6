"""Every command and Python block of README and docs is carried out at toy scale, in order, or listed with a reason.

Each document gets a copy of the repository, generated images for its datasets, and its steps as a user would type them,
changed by `RULES`. docs/tools.md is carried out as it stands, in test_ecosystem.py, and so is most of docs/tutorial.md,
in test_tutorial.py.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documented import COMMAND, Elsewhere, NotHere, inline_commands, names_file, steps, toy

from mmpod.experiments.rehearsal import write_datasets

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ['README.md', *(f'docs/{path.name}' for path in sorted((ROOT / 'docs').glob('*.md')))]
COPIED = ['benchmarks', 'configs', 'docs', 'mmpod', 'requirements', 'results', 'tools', 'LICENSE', 'MANIFEST.in']
COPIED += ['Makefile', 'README.md', 'model-index.yml', 'pyproject.toml', 'setup.py']

MIM = re.compile(r'(PYTHONPATH=\S+ )?mim ')
LOADERS = [f'{split}_dataloader' for split in ('train', 'val', 'test')]
FEW = 'train_cfg.max_epochs=1 ' + ' '.join(
    f'{loader}.{setting}'
    for loader in LOADERS
    for setting in ('batch_size=4', 'num_workers=0', 'persistent_workers=False', 'dataset.indices=12')
)
TWO_A_CLASS = ' train_dataloader.dataset.samples_per_class=2'
SKIPPED = TWO_A_CLASS[:-1] + '1 val_dataloader.dataset.skip_per_class=1 val_dataloader.dataset.samples_per_class=1'


ONE_SEED = (r'( --seeds 0 1 2|(?= --cfg)|$)', ' --seeds 0')
FIRST_VALUE = (r'=([\d.e-]+)(,[\d.e-]+)+', r'=\1')  # of a grid
ELSEWHERE = (r'--work-dir results/', '--work-dir work_dirs/')  # not beside the runs that are committed

INTO_A_FOLDER = ' --no-deps --no-build-isolation --target=site'

# The first pattern that a command begins with says how it is carried out.
RULES = {
    r'make demo': toy((r'$', ' -o LICENSE STAMP=LICENSE RUN=')),
    r'make test': NotHere('is the suite, of which this is a part'),
    r'make benchmark': toy((r'.*', 'python benchmarks/centroids.py && python benchmarks/pod_loss.py')),
    r'mim install|pip (un)?install .*(torch|onedl|mmcv|umap)': NotHere('changes the environment of the tests'),
    r'pip install \.$': toy((r'^', 'PIP_DRY_RUN=0 '), (r'$', INTO_A_FOLDER)),
    r'pip install': toy((r'-U ', ''), (r'$', ' --no-build-isolation')),
    r'mim download': NotHere('fails, as the document says'),
    r'mim train$': NotHere('is only a name'),
    r'mim (run|search)': toy(),
    r'(PYTHONPATH=\S+ )?mim (train|test)': toy(options=FEW),
    r'tensorboard': NotHere('serves until it is stopped'),
    r'python -m pytest': NotHere('is a part of `make test-all`'),
    r'python (-c|\w+\.py)': toy(),
    r'NNODES': Elsewhere('test_multi_node.py::test_two_nodes_train_as_two_processes_of_one'),
    r'bash tools/dist_test.sh$': Elsewhere('test_tools.py::test_two_processes_train_resume_and_test'),
    r'(PORT=\d+ )?bash tools/dist_\w+.sh': toy((r' 8\b', ' 2'), options=FEW),
    r'bash tools/slurm_train.sh': toy(options=FEW),
    r'TORCH_\w+=1 python tools/test.py': toy(options=FEW),
    r'python tools/(train|test|plot_geometry).py|CIFAR10_ROOT=\S+ python tools/train.py': toy(options=FEW),
    r'CIFAR10_ROOT=\S+ python tools/test.py': toy(options=FEW + TWO_A_CLASS),
    r'(OMP_NUM_THREADS=1 )?python tools/compare.py': toy(ONE_SEED, options=FEW),
    r'(CIFAR10|TINYIMAGENET)_ROOT=\S+ python tools/tune.py': toy(
        ELSEWHERE, FIRST_VALUE, FIRST_VALUE, options=FEW + SKIPPED
    ),
    r'python tools/experiments.py run --rehearse': Elsewhere('test_experiments_tool.py::test_rehearsal'),
    r'python tools/experiments.py run I ': toy((r'$', ' --rehearse')),
    r'python tools/experiments.py run softmax_resnet50': toy((r'--jobs 3 .*', '--rehearse')),
    r'python tools/experiments.py run VI': toy((' VI ', ' digits '), ('ses 8', 'ses 2'), ONE_SEED, options=FEW),
    r'python tools/experiments.py (list|report|refresh)': toy(),
    r"CIFAR10_ROOT=\S+ python tools/experiments.py run '\*_cifar10_10k' ": toy(ELSEWHERE, (r'$', ' --rehearse')),
    r'(CIFAR10_ROOT=\S+ )?python tools/experiments.py run .*10k': toy(
        ELSEWHERE, (r'( --seeds 0)?( --work)', r' --seeds 0\2'), options=FEW + TWO_A_CLASS
    ),
    r'TINYIMAGENET_ROOT=\S+ python tools/experiments.py run gda': toy((r'--jobs 2 .*', '--rehearse')),
    r'TINYIMAGENET_ROOT=\S+ python tools/experiments.py run': toy(ELSEWHERE, ONE_SEED, options=FEW),
    r'python tools/experiments.py run pod_resnet18w8_digits': toy(options=FEW),
    r'python benchmarks/gda_shrinkage.py': toy(('--out results/', '--out work_dirs/'), options=FEW),
    r'CIFAR10_ROOT=\S+ python benchmarks/gda_shrinkage.py': toy(
        ('--out results/', '--shrinkage auto --out work_dirs/'), options=FEW + TWO_A_CLASS
    ),
    r'python tools/(convert_config|export).py': toy(),
    r'python benchmarks/convert_sweep.py': toy(),
    r'python benchmarks/faults.py': Elsewhere(
        'test_faults.py::test_killed_runs_end_with_the_weights_of_an_unbroken_one'
    ),
    r'OMP_NUM_THREADS=1 python benchmarks/feature_geometry.py': toy((r'$', ' --samples 32 --rounds 1')),
    r'OMP_NUM_THREADS=1 python benchmarks/gda.py': toy((r'$', ' --samples 2000 --classes 5 --dim 16')),
    r'(OMP_NUM_THREADS=1 )?python benchmarks/training_step.py': toy(
        (r'--rounds \d+', ''), (r'$', ' --rounds 2 --size 32 --batch 2')
    ),
    r'(OMP_NUM_THREADS=1 )?python benchmarks/': toy(),
}

DIGITS = 'configs/pod_resnet18w8_digits.py'
# What the reader is to put in: everywhere, and in one document, which goes first.
EVERYWHERE = {
    r'(configs/(\w+)\.py) CHECKPOINT': r'\1 work_dirs/\2/epoch_1.pth',
    r'epoch_(100|15|8)\b': 'epoch_1',
    r'FOLDER': 'pictures',
    r'WORK_DIR': 'work_dirs/slurm',
    r'\b[A-Z0-9]+_ROOT=\S+ ': '',
}
WORDS = {
    'README.md': {'YOUR_CONFIG': 'my_config'},
    'docs/convert.md': {"'my_config.py'": "'configs/softmax_resnet18w8_digits.py'"},
    'docs/faq.md': {r'sh \.\.\.': f'sh {DIGITS} 2', r'py \.\.\.': f'py {DIGITS} foreign.pth'},
    'docs/geometry.md': {'YOUR_CONFIG': 'configs/softmax_resnet18w8_digits'},
    'docs/install.md': {
        '--checkpoint FILE': '--checkpoint work_dirs/pod_resnet18w8_digits/epoch_1.pth',
        'NAME': 'pod_resnet50_cifar10',
        r'my_config\.py': DIGITS,
        r'/path/to/clone': 'site',
        r'mmpod \.\.\.': 'mmpod pod_resnet18w8_digits.py',
    },
    'docs/robustness.md': {'train_dataloader.dataset.indices': 'train_dataloader.dataset.dataset.indices'},  # its part
    'docs/results.md': {
        r'(configs/(pod_\w+_tuned).py) CHECKPOINT': r'\1 work_dirs/cifar10_10k/\2/seed0/epoch_1.pth',
        '/data/tiny-imagenet-200': 'data/tinyimagenet',
        'CHECKPOINT': 'work_dirs/digits/pod_resnet18w8_digits/seed0/epoch_1.pth',
    },
}
# What a document takes for granted, and the base of the parts of configs that it shows.
FOREIGN = """
import mmengine.logging, torch
checkpoint = torch.load('work_dirs/pod_resnet18w8_digits/epoch_1.pth')
torch.save(dict(checkpoint, history=mmengine.logging.HistoryBuffer([1.0], [1])), 'foreign.pth')
"""
BEFORE = {'docs/faq.md': [f'python tools/train.py {DIGITS}', FOREIGN]}
BASES = {'docs/geometry.md': DIGITS, 'docs/robustness.md': 'configs/pod_resnet18w8_cifar10_10k.py'}
# Slurm's, for one process without a GPU.
SRUN = """#!/bin/bash
while [[ $1 == --* ]]; do shift; done
exec "${@/#slurm/none}"
"""


def rule(step):
    """Return how a command is carried out; Python code has no rule."""
    return next((how for pattern, how in RULES.items() if re.match(pattern, step)), None)


def todo(document):
    """Return the Python blocks and commands of a document, in order, those in the text last."""
    text = (ROOT / document).read_text()
    shown = [] if document == 'docs/tools.md' else steps(text)
    return list(dict.fromkeys([*shown, *inline_commands(text)]))


def commands(document):
    return [step for step in todo(document) if re.match(COMMAND, step)]


def filled_in(text, document):
    for pattern, word in {**WORDS.get(document, {}), **EVERYWHERE}.items():
        text = re.sub(pattern, word, text)
    return text


def small(step, document):
    """Return a command as it is carried out here, or None."""
    how = rule(step)
    return None if isinstance(how, str) else filled_in(how(step), document)


def carry_out(step, document, folder, run):
    """Carry out a command, a config or other Python code, and return what went wrong."""
    if not re.match(COMMAND, step):
        step = filled_in(step, document)
        named = names_file(step)
        path = folder / (step.split()[1] if named else f'step{len(list(folder.glob("step*.py")))}.py')
        config = not re.search(r'^(import|from) ', step, re.M)
        base = f"_base_ = '{BASES[document]}'\n" if config and '_base_' not in step else ''
        path.write_text(base + step)
        if named and not config:
            return ''
        step = f'python tools/train.py {path.name}' if config else f'python {path.name}'
    command = small(step, document) if rule(step) else step
    return command and run(command)


@pytest.fixture(scope='module')
def datasets(tmp_path_factory):
    folder = tmp_path_factory.mktemp('datasets')
    return folder, write_datasets(folder)


@pytest.fixture
def user(tmp_path, datasets):
    """A copy of the repository, and a way to run commands there."""
    folder = tmp_path / 'clone'
    folder.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    (folder / 'data').symlink_to(datasets[0])
    (folder / 'bin').mkdir()
    (folder / 'bin/srun').write_text(SRUN)
    (folder / 'bin/srun').chmod(0o755)
    path = f'{Path(sys.executable).parent}:{folder / "bin"}:{os.environ["PATH"]}'
    defaults = dict(PATH=path, PYTHONPATH=str(folder), OMP_NUM_THREADS='1', PYTHONWARNINGS='ignore', PORT='29670')
    defaults['PIP_DRY_RUN'] = '1'  # whatever is run leaves the environment of the tests as it is

    def run(command):
        environment = {**os.environ, **defaults, **datasets[1]}
        done = subprocess.run(
            ['bash', '-c', command], cwd=folder, env=environment, capture_output=True, text=True, timeout=1200
        )
        print(f'$ {command}\n{done.stdout[-2000:]}')
        return f'{command}: {done.stderr[-2000:]}' if done.returncode else ''

    return folder, run


@pytest.mark.parametrize('document', DOCUMENTS)
def test_every_command_has_a_rule(document):
    for command in commands(document):
        assert rule(command), f'{command}: say in RULES how it is carried out, or why it is not'


@pytest.mark.parametrize('document', DOCUMENTS)
def test_no_command_is_in_the_running_text(document):
    """There it would be neither shown as a command nor carried out."""
    text, tool = (ROOT / document).read_text(), re.compile(r'python (?:tools|benchmarks)/')
    found = [match for step in [*steps(text), *inline_commands(text)] for match in tool.findall(step)]
    assert len(tool.findall(text)) == len(found)


def test_rules_are_used_and_name_tests_that_exist():
    everything = [command for document in DOCUMENTS for command in commands(document)]
    for pattern, how in RULES.items():
        assert any(rule(command) is how for command in everything), f'{pattern}: no document has such a command'
        if isinstance(how, Elsewhere):
            file, name = how.split('::')
            assert f'def {name}(' in (ROOT / 'tests' / file).read_text()


def outcomes(document, user, chosen):
    chosen_steps = [step for step in [*BEFORE.get(document, []), *todo(document)] if chosen(step)]
    failures = [failure for failure in (carry_out(step, document, *user) for step in chosen_steps) if failure]
    assert not failures, '\n\n'.join(failures)


@pytest.mark.slow
@pytest.mark.parametrize('document', DOCUMENTS)
def test_document_is_carried_out(document, user):
    outcomes(document, user, lambda step: not re.match(MIM, step))
    for name in ('README.md', 'configs/metafile.yml', *DOCUMENTS):  # what its commands write there is what is there
        assert (user[0] / name).read_text() == (ROOT / name).read_text(), name


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec('mim') is None, reason='openmim is not installed')
def test_mim_is_carried_out(user):
    """With mmpod installed, as `mim train mmpod` needs it."""
    folder, run = user
    assert not run('PIP_DRY_RUN=0 pip install .' + INTO_A_FOLDER)
    outcomes('docs/install.md', (folder, lambda command: run(f'export PYTHONPATH=site; {command}')), MIM.match)
