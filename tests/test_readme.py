"""What the README shows works: its examples run, its commands name files that exist and arguments that parse."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / 'README.md').read_text()
EXAMPLES = re.findall(r'```python\n(.*?)```', README, re.S)
LINES = [line.strip() for line in README.replace('\\\n', ' ').splitlines() if line.startswith('    ')]
COMMANDS = [line for line in LINES if re.match(r'(\w+=\S+ )?(python|bash) ', line)]
LAUNCHERS = ('dist_train.sh', 'dist_test.sh', 'slurm_train.sh')


def test_config_example_takes_a_step(tmp_path):
    (tmp_path / 'my_config.py').write_text(EXAMPLES[0])
    cfg = Config.fromfile(tmp_path / 'my_config.py')
    init_default_scope('mmpretrain')
    model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))
    images = [torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8) for _ in range(2)]
    data = dict(inputs=images, data_samples=[DataSample().set_gt_label(label) for label in (0, 999)])
    losses = model.train_step(data, build_optim_wrapper(model, cfg.optim_wrapper))
    assert set(losses) == {'loss', 'loss_cosine', 'loss_sc'} and torch.isfinite(losses['loss'])


def test_plain_example_runs():
    namespace = {}
    exec(EXAMPLES[1], namespace)
    assert namespace['features'].grad.abs().sum() > 0


def test_gda_example_runs():
    namespace = {}
    exec(EXAMPLES[2], namespace)
    assert namespace['gda'].shrinkage_.shape == (10,)


def test_there_are_examples_and_commands():
    assert len(EXAMPLES) == 3 and len(COMMANDS) >= 8


@pytest.mark.parametrize('command', COMMANDS)
def test_commands_name_what_exists(command, monkeypatch):
    words = [word for word in shlex.split(command) if not re.fullmatch(r'[A-Z0-9_]+=\S+', word)]
    script = ROOT / words[1]
    assert script.is_file()
    assert all((ROOT / word).is_file() for word in words if word.startswith('configs/'))
    if script.name in ('train.py', 'test.py'):
        from mmpod.apis import host_tool

        monkeypatch.setattr('sys.argv', words[1:])
        host_tool(script.stem).parse_args()
    elif script.name == 'compare.py':
        assert '--seeds' in words and '--seeds' in script.read_text()
    elif script.name == 'experiments.py':
        monkeypatch.setattr('sys.argv', words[1:])
        runpy.run_path(str(script))['parse_args']()
    elif script.name in ('convert_config.py', 'export.py', 'plot_geometry.py', 'tune.py'):
        flags = [word for word in words if word.startswith('--')]
        assert all(f"'{flag}'" in script.read_text() for flag in flags)
    else:
        assert script.name in LAUNCHERS


@pytest.mark.parametrize('target', re.findall(r'\]\((?!http)([^)]+)\)', README))
def test_links_lead_somewhere(target):
    assert (ROOT / target).is_file()


def test_make_targets_of_the_readme_exist():
    makefile = (ROOT / 'Makefile').read_text()
    for target in set(re.findall(r'make (demo|test|benchmark)\b', README)):
        assert re.search(rf'^{target}:', makefile, re.M)
