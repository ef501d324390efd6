"""The arguments do what they do in mmpretrain's own tools, where these are installed."""

import importlib.util
import runpy
from pathlib import Path

import pytest
from mmengine.config import Config

from mmpod.engine.command_line import evaluation_config, read_config, training_config
from mmpod.models import AverageTTA
from mmpod.registry import MODELS
from mmpod.utils.errors import UserError

DIGITS = 'configs/small/pod_digits.py'
HOST = Path(importlib.util.find_spec('mmpretrain').origin).parent / '.mim' / 'tools'


@pytest.fixture(autouse=True)
def rank(monkeypatch):
    monkeypatch.setenv('LOCAL_RANK', '0')  # which the tools set, and monkeypatch removes


@pytest.fixture
def config_of(root, monkeypatch):
    """Return the config that our tool makes of a command line."""

    def config_of(name, *arguments):
        monkeypatch.setattr('sys.argv', [name, *map(str, arguments)])
        args = runpy.run_path(str(root / f'tools/{name}.py'))['parse_args']()
        return (training_config if name == 'train' else evaluation_config)(args)

    return config_of


@pytest.fixture
def own(tmp_path):
    """Write a config."""

    def own(text):
        (tmp_path / 'own.py').write_text(text)
        return tmp_path / 'own.py'

    return own


def config_of_host(name, arguments, monkeypatch):
    if not HOST.is_dir():
        pytest.skip('mmpretrain is installed without its tools')
    monkeypatch.setattr('sys.argv', [name, *arguments])
    tool = runpy.run_path(str(HOST / f'{name}.py'))
    args = tool['parse_args']()
    return tool['merge_args'](read_config(args.config), args)


@pytest.mark.parametrize(
    'arguments',
    [
        [],
        ['--work-dir', 'w', '--resume', '--no-validate', '--no-pin-memory'],
        ['--resume', 'epoch_1.pth', '--amp', '--auto-scale-lr', '--launcher', 'pytorch', '--no-persistent-workers'],
        ['--cfg-options', 'model.head.loss.sc_weight=2', 'train_dataloader.num_workers=3', 'param_scheduler.gamma=0.5'],
    ],
)
def test_training(arguments, config_of, root, monkeypatch):
    arguments = [str(root / DIGITS), *arguments]
    ours, theirs = config_of('train', *arguments), config_of_host('train', arguments, monkeypatch)
    for cfg in (ours, theirs):
        cfg.train_dataloader.pop('persistent_workers')
        cfg.work_dir = Path(cfg.work_dir)
        cfg.resume = bool(cfg.resume)  # 'auto' becomes a bool when the session knows whether there is a checkpoint
    assert ours.to_dict() == theirs.to_dict()


@pytest.mark.parametrize(
    'arguments',
    [
        [],
        ['--work-dir', 'w', '--amp', '--no-pin-memory', '--out', 'predictions.pkl', '--launcher', 'slurm'],
        ['--show-dir', 's', '--interval', '3', '--wait-time', '1', '--cfg-options', 'test_dataloader.batch_size=3'],
        ['--tta'],
        ['--show', '--out', 'metrics.json', '--out-item', 'metrics'],
    ],
)
def test_evaluation(arguments, config_of, root, monkeypatch):
    arguments = [str(root / DIGITS), 'epoch_1.pth', *arguments]
    ours, theirs = config_of('test', *arguments), config_of_host('test', arguments, monkeypatch)
    for cfg in (ours, theirs):
        cfg.work_dir = Path(cfg.work_dir)
        for name in ('train_dataloader', 'val_dataloader'):  # theirs completes that of the test alone
            cfg[name].pop('collate_fn', None)
            cfg[name].pop('pin_memory', None)
        cfg.default_hooks.get('visualization', {}).pop('type', None)
    if '--tta' in arguments:
        assert (ours.model.type, theirs.model.type) == ('mmpod.AverageTTA', 'mmpretrain.AverageClsScoreTTA')
        ours.model.type = ours.tta_model.type = theirs.model.type
    assert ours.to_dict() == theirs.to_dict()


def test_augmentation_tests_the_model_that_is_tested_without(config_of, own, root):
    """Its own preprocessor goes before that of the config, and options reach it."""
    path = own(f"_base_ = ['{root / DIGITS}']\nmodel = dict(data_preprocessor=dict(mean=[5.0] * 3, std=[2.0] * 3))\n")
    cfg = config_of('test', path, 'epoch_1.pth', '--tta', '--cfg-options', 'model.head.feat_dim=12')
    model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))  # as the Runner does
    assert model.module.data_preprocessor.mean.flatten().tolist() == [5.0] * 3
    assert model.module.head.feat_dim == 12 and isinstance(model, AverageTTA)


SECTIONS = 'model = train_dataloader = train_cfg = optim_wrapper = dict(type="A")\n'


def test_an_evaluation_says_nothing_of_the_training_workers(config_of, own, root):
    path = own(f"_base_ = '{root / DIGITS}'\ntrain_dataloader = dict(persistent_workers=True, num_workers=1)")
    assert 'persistent_workers' not in config_of('test', path, 'epoch_1.pth').train_dataloader


@pytest.mark.parametrize(
    'arguments, words',
    [
        (['--auto-scale-lr'], 'base_batch_size'),
        (['--cfg-options', 'custom_hooks.0.b=1'], '--cfg-options to fit'),
        (['--cfg-options', 'nonsense'], "to be KEY=VALUE, but got 'nonsense'"),
        (['--cfg-options', '=1'], "to be KEY=VALUE, but got '=1'"),
        (['--cfg-options', 'train_cfg.milestones=[1,2'], 'that can be read'),
    ],
)
def test_arguments_that_do_not_fit(arguments, words, config_of, own):
    with pytest.raises(UserError, match=words):
        config_of('train', own(f'custom_hooks = []\n{SECTIONS}'), *arguments)


def test_a_section_may_come_from_the_options_which_override_other_arguments(config_of, own):
    command = ['train', own(SECTIONS.replace('optim_wrapper = ', '')), '--amp', '--cfg-options']
    cfg = config_of(*command, 'optim_wrapper.accumulative_counts=2')
    assert cfg.optim_wrapper == dict(accumulative_counts=2, type='AmpOptimWrapper', loss_scale='dynamic')
    cfg = config_of(*command, 'optim_wrapper.type=mmpod.BFloat16OptimWrapper')
    assert cfg.optim_wrapper.type == 'mmpod.BFloat16OptimWrapper'


@pytest.mark.parametrize('named, expected', [([], ('auto', 'a.pth')), (['b.pth'], (True, 'b.pth'))])
def test_resuming_if_possible_keeps_the_weights_to_start_from(named, expected, config_of, own):
    cfg = config_of('train', own(f'{SECTIONS}load_from = "a.pth"\n'), '--resume', *named)
    assert (cfg.resume, cfg.load_from) == expected


def test_views_of_a_pure_python_config(pure_python, config_of):
    model = 'from mmpod.models import AverageTTA\ntta_model = dict(type=AverageTTA)\n'
    pure_python.write_text(model + pure_python.read_text())
    cfg = config_of('test', pure_python, 'w.pth', '--tta')
    assert Config.fromstring(cfg.pretty_text, '.py').model.type.endswith('AverageTTA')
