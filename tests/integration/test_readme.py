"""What README and docs show works: examples run, commands name files that exist and arguments that parse.

docs/tools.md and docs/tutorial.md are carried out as they stand, in test_ecosystem.py and test_tutorial.py.
"""

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

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / 'README.md').read_text()
EXAMPLES = re.findall(r'```python\n(.*?)```', README, re.S)
DOCUMENTS = [ROOT / 'README.md'] + [
    path for path in sorted((ROOT / 'docs').glob('*.md')) if path.stem not in ('tools', 'tutorial')
]
COMMANDS = list(
    dict.fromkeys(
        line.strip()
        for path in DOCUMENTS
        for line in path.read_text().replace('\\\n', ' ').splitlines()
        if re.match(r'    (\w+=\S+ )*(python|bash) ', line)
    )
)
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
    words = [word for word in shlex.split(command, comments=True) if not re.fullmatch(r'[A-Z0-9_]+=\S+', word)]
    words = words[: words.index('>')] if '>' in words else words
    if words[1] == '-c':
        exec(words[2], {})
        return
    script = ROOT / words[1]
    assert script.is_file()
    assert all((ROOT / word).is_file() for word in words if word.startswith('configs/'))
    # Some parsers look for the checkpoint that the reader is to name.
    monkeypatch.setattr('sys.argv', ['LICENSE' if word == 'CHECKPOINT' else word for word in words[1:]])
    monkeypatch.chdir(ROOT)
    if script.parent.name == 'benchmarks':
        assert all(word.split('=')[0] in script.read_text() for word in words if word.startswith('--'))
    elif script.suffix == '.py':
        runpy.run_path(str(script))['parse_args']()
    else:
        assert script.name in LAUNCHERS


@pytest.mark.parametrize(
    'path', [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))], ids=lambda path: path.name
)
def test_links_lead_somewhere(path):
    for target in re.findall(r'\]\((?!http|#)([^)#]+)', path.read_text()):
        assert (path.parent / target).is_file(), target


@pytest.mark.parametrize(
    'path', [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))], ids=lambda path: path.name
)
def test_links_to_sections_lead_somewhere(path):
    """The names that GitHub gives to headings: lower case, hyphens for spaces, no punctuation."""
    headings = re.findall(r'^#+ (.*)', path.read_text(), re.M)
    sections = {re.sub(r'[^\w -]', '', heading.lower()).replace(' ', '-') for heading in headings}
    assert set(re.findall(r'\]\(#([^)]+)', path.read_text())) <= sections


def test_make_targets_of_the_readme_exist():
    makefile = (ROOT / 'Makefile').read_text()
    for target in set(re.findall(r'make (demo|test|benchmark)\b', README)):
        assert re.search(rf'^{target}:', makefile, re.M)
