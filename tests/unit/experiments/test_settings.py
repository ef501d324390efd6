"""Which settings a run has, which options change any, and what makes two configs the same."""

from pathlib import Path

import pytest

from mmpod.experiments.settings import check_effect, resolve, settings_hash, settings_of
from mmpod.utils.config_differences import differences

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
    return settings_hash(settings_of(resolve(config, overrides)))


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
        settings_of(resolve(write(text)))
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
        ('optim_wrapper.optimiser.lr=0.3', 'Did you mean `optimizer`'),
        ('randomnes.deterministic=True', 'Did you mean `randomness`'),
        ('model.head.loss.sc_wieght=0.3', 'Did you mean `sc_weight`'),
        ('lr=0.3', 'nothing reads `lr`.$'),
        ('train_dataloader.dataset.pipeline.9.padding=0', 'fit'),
        ('nonsense', 'KEY=VALUE'),
        ('=1', 'KEY=VALUE'),
        ('randomness.seed=5', 'Expected --seeds'),
        ('work_dir=elsewhere', 'Expected --work-dir'),
        ('custom_imports.imports=[mine]', 'nothing reads'),
    ],
)
def test_keys_that_nothing_reads_are_refused(option, words, root):
    with pytest.raises(ValueError, match=words):
        resolve(root / DIGITS, [option])


def test_a_variable_that_has_been_copied_is_refused(write):
    with pytest.raises(ValueError, match='variable of the config file: override the places'):
        resolve(write(POD + "train_pipeline = [dict(type='A', padding=4)]\n"), ['train_pipeline.0.padding=0'])


@pytest.mark.parametrize(
    'options',
    [
        ['optim_wrapper.clip_grad.max_norm=1.0'],
        ['default_hooks.early.type=EarlyStoppingHook', 'default_hooks.early.monitor=accuracy/top1'],
        ['model.head._delete_=True', 'model.head.type=mmpod.PEDCCHead', 'model.head.num_classes=10'],
        [
            'model.head.loss.loss_weight=5',
            'find_unused_parameters=True',
            'fast=True',
            'model.train_cfg.augments.type=Mixup',
        ],
        ['model.train_cfg.augments.type=Mixup', 'default_hooks.features.geometry=True'],
    ],
)
def test_new_keys_that_something_reads_are_accepted(options, root):
    assert fingerprint(root / DIGITS, options) != fingerprint(root / DIGITS)


def test_an_option_that_changes_nothing_is_refused(root):
    pod, softmax = (root / f'configs/small/{loss}_digits.py' for loss in ('pod', 'softmax'))
    epochs = resolve(pod).train_cfg.max_epochs
    with pytest.raises(ValueError, match=f'`train_cfg.max_epochs={epochs}` changes nothing in pod_.*, softmax_'):
        check_effect([pod, softmax], [f'train_cfg.max_epochs={epochs}'])
    with pytest.raises(ValueError, match='`train_cfg.max_epochs=2` changes nothing'):
        check_effect([pod], ['train_cfg.max_epochs=2'], [['train_cfg.max_epochs=3'], ['train_cfg.max_epochs=4']])
    check_effect([pod, softmax], [f'model.head.feat_dim={resolve(pod).model.head.feat_dim}'])  # it does in softmax


def test_points_of_a_grid_that_are_the_same_are_refused(root):
    trials = [['optim_wrapper.optimizer.lr=0.1'], ['optim_wrapper.optimizer.lr=0.10']]
    with pytest.raises(ValueError, match='lr=0.10.* same settings of pod_digits'):
        check_effect([root / DIGITS], [], trials)
    check_effect([root / DIGITS], ['train_cfg.max_epochs=2'], [trials[0], ['optim_wrapper.optimizer.lr=0.2']])
