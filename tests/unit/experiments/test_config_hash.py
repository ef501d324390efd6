"""Which settings a run has, and what makes two configs the same."""

from pathlib import Path

import pytest

from mmpod.experiments.config_hash import resolved_config, settings_hash, settings_of
from mmpod.utils.config_differences import differences
from mmpod.utils.errors import UserError

DIGITS = 'configs/small/pod_digits.py'
POD = "model = dict(head=dict(type='mmpod.PEDCCHead', feat_dim=9), out=(3,))\n"


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a config under a new name, for the file is read once per process."""
    count = iter(range(100))

    def write(text) -> Path:
        path = tmp_path / f'config{next(count)}.py'
        path.write_text(text)
        return path

    return write


def fingerprint(config, overrides=()):
    return settings_hash(settings_of(resolved_config(config, overrides)))


@pytest.mark.parametrize(
    'text',
    [
        "# a comment\nmodel = dict(out=[3],\n  head=dict(feat_dim=9.0, type='mmpod.PEDCCHead'))\n",
        POD + "work_dir = 'elsewhere'\n",
    ],
)
def test_formatting_order_and_work_dir_make_no_difference(text, write):
    assert fingerprint(write(text)) == fingerprint(write(POD))


def test_the_order_of_imports_makes_no_difference(write):
    texts = [f'custom_imports = dict(imports={imports})\n' for imports in (['math', 'json'], ['json', 'math'])]
    assert fingerprint(write(texts[0])) == fingerprint(write(texts[1])) != fingerprint(write(POD))


def test_an_override_and_an_edit_give_the_same_settings(write):
    edited = write(POD.replace('9', '16'))
    assert fingerprint(write(POD), ['model.head.feat_dim=16']) == fingerprint(edited) != fingerprint(write(POD))


def test_differences_are_named_old_to_new(write):
    old, new = (
        settings_of(resolved_config(write(text)))
        for text in (POD, POD.replace('9', '16') + "pipeline = [dict(type='A', steps=[1, 2])]\n")
    )
    assert differences(old, new) == (
        'model.head.feat_dim: 9 -> 16, pipeline.0.steps: nothing -> [1, 2], pipeline.0.type: nothing -> A'
    )
    assert differences(old, old) == ''
    many = differences({}, {str(index): index for index in range(15)})
    assert many.count('->') == 10 and many.endswith('and 5 more')


@pytest.mark.parametrize(
    'option, words',
    [
        ('optim_wraper.optimizer.lr=0.3', 'Did you mean `optim_wrapper`'),
        ('nonsense', 'KEY=VALUE'),
        ('randomness.seed=5', 'Expected --seeds'),
        ('work_dir=elsewhere', 'Expected --work-dir'),
    ],
)
def test_overrides_that_change_no_setting_are_refused(option, words, root):
    with pytest.raises(UserError, match=words):
        resolved_config(root / DIGITS, [option])


def test_a_file_that_is_no_config_is_refused(write):
    with pytest.raises(UserError, match='to load as a config, but got SyntaxError'):
        resolved_config(write('model = dict('))
