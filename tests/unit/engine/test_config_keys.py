import pytest
from mmengine.config import Config

from mmpod.engine.command_line import read_config
from mmpod.engine.config_keys import check_known_keys, check_option, require_sections
from mmpod.utils.errors import UserError

DIGITS = 'configs/small/pod_digits.py'


@pytest.mark.parametrize(
    'key, meant',
    [
        ('optim_wraper', 'optim_wrapper'),
        ('param_schedulers', 'param_scheduler'),
        ('train_datalaoder', 'train_dataloader'),
        ('custom_hook', 'custom_hooks'),
        ('Randomness', 'randomness'),
        ('tta_modell', 'tta_model'),
    ],
)
@pytest.mark.parametrize('place', ['option', 'file'])
def test_misspelt_keys_are_refused(key, meant, place, root, tmp_path):
    (tmp_path / 'own.py').write_text(f"_base_ = ['{root / DIGITS}']\n" + (f'{key} = 1\n' if place == 'file' else ''))
    cfg = Config.fromfile(tmp_path / 'own.py')
    if place == 'option':
        cfg.merge_from_dict({f'{key}.optimizer.lr': 0.3})
    with pytest.raises(UserError, match=f"'{key}', which is never used. Did you mean '{meant}'"):
        check_known_keys(cfg)


def test_variables_of_a_config_are_its_own(root, tmp_path):
    lines = [
        f"_base_ = ['{root / DIGITS}']",
        'size = 8',
        'optim_wrapper2 = dict(clip_grad=None)',  # close to a known one, but used below
        'optim_wrapper = optim_wrapper2',
        'norm_cfg, base_lr, num_epochs, train_pipeline = None, 0.1, 3, []',
    ]
    (tmp_path / 'own.py').write_text('\n'.join(lines))
    check_known_keys(Config.fromfile(tmp_path / 'own.py'))


@pytest.mark.parametrize(
    'line, words',
    [
        ('randomness = dict(sead=1)', "`randomness` .* 'sead'. Did you mean 'seed'"),
        ('env_cfg = dict(cudnn_benchmrk=True)', "`env_cfg` .* 'cudnn_benchmrk'. Did you mean 'cudnn_benchmark'"),
        ('auto_scale_lr = dict(base_batchsize=64)', "`auto_scale_lr` .* Did you mean 'base_batch_size'"),
        ('train_cfg = dict(max_epoch=1)', "`train_cfg` .* 'max_epoch'. Did you mean 'max_epochs'"),
        ('test_cfg = dict(amp=True)', "`test_cfg` .* 'amp'. They are dataloader, evaluator, fp16"),
        ('train_dataloader = dict(batchsize=3)', "`train_dataloader` .* 'batchsize'. Did you mean 'batch_size'"),
        ('default_hooks = dict(checkpoint=dict(intervall=1))', "`default_hooks.checkpoint` .* Did you mean 'interval'"),
    ],
)
def test_misspelt_keys_of_sections_are_refused(line, words, root, tmp_path):
    (tmp_path / 'own.py').write_text(f"_base_ = ['{root / DIGITS}']\n{line}\n")
    with pytest.raises(UserError, match=words):
        read_config(tmp_path / 'own.py')


def test_sections_with_a_type_have_its_keys(root, tmp_path):
    lines = [
        f"_base_ = ['{root / DIGITS}']",
        "train_cfg = dict(_delete_=True, type='MyLoop', rounds=3)",
        'train_dataloader = dict(num_batch_per_epoch=2, prefetch_factor=None)',
        "default_hooks = dict(checkpoint=dict(type='MyCheckpointHook', folder='a'))",
    ]
    (tmp_path / 'own.py').write_text('\n'.join(lines))
    assert read_config(tmp_path / 'own.py').train_cfg.rounds == 3


def test_missing_sections_are_named(root):
    require_sections(Config.fromfile(root / DIGITS), 'model', 'train_cfg')
    with pytest.raises(UserError, match='but train_cfg, optim_wrapper is missing'):
        require_sections(Config(dict(model=1, train_cfg=None)), 'model', 'train_cfg', 'optim_wrapper')


def test_classes_that_a_pure_python_config_imports_are_not_keys(pure_python):
    child = pure_python.with_name('child.py')
    child.write_text('from mmengine.config import read_base\nwith read_base():\n    from .pure_python import *\n')
    cfg = Config.fromfile(child)
    assert 'ClsDataPreprocessor' in cfg
    check_known_keys(cfg)
    cfg.train_datalaoder = dict()
    with pytest.raises(UserError, match="'train_datalaoder'"):
        check_known_keys(cfg)


@pytest.mark.parametrize(
    'option, words',
    [
        ('optim_wraper.optimizer.lr=0.3', '`optim_wraper` is not one. Did you mean `optim_wrapper`'),
        ('lr=0.3', '`lr` is not one. Name it by its path'),
        ('custom_imports.imports=[mine]', 'in the config file, because it takes effect before'),
        ('steps.0=5', '`steps` is not one. It is a variable of the config file: change the settings'),
        ('optim_wrapper.optimiser.lr=0.3', 'no `optimiser`. Did you mean `optimizer`'),
        ('env_cfg.cudnn_benchmrk=True', 'Did you mean `cudnn_benchmark`'),
        ('model.head.loss.sc_wieght=0.3', 'Did you mean `sc_weight`'),
        ('train_dataloader.dataset.pipeline.9.padding=0', 'fit'),
        ('train_dataloader=3', '`train_dataloader` to be a section, but got 3. .*train_dataloader.KEY'),
        ('train_cfg=dict(max_epochs=3)', "but got 'dict"),
    ],
)
def test_options_that_change_no_setting_are_refused(option, words, root, tmp_path):
    (tmp_path / 'own.py').write_text(f"_base_ = ['{root / DIGITS}']\nsteps = [6, 9]\n")
    with pytest.raises(UserError, match=words):
        read_config(tmp_path / 'own.py', [option])


@pytest.mark.parametrize(
    'options',
    [
        ['optim_wrapper.clip_grad.max_norm=1.0'],
        ['default_hooks.early.type=EarlyStoppingHook', 'default_hooks.early.monitor=accuracy/top1'],
        ['model.head._delete_=True', 'model.head.type=mmpod.PEDCCHead', 'model.head.num_classes=10'],
        ['model.train_cfg.augments.type=Mixup', 'default_hooks.features.geometry=True'],
        ['model.train_cfg.augments.0.type=Mixup', 'custom_hooks.0.type=EMAHook'],
        ['find_unused_parameters=True', 'fast=True', 'sync_bn=torch', 'load_from=a.pth', 'resume=True'],
        ['compile.target=extract_feat', 'model_wrapper_cfg.type=MMDistributedDataParallel'],
        ['runner_type=FlexibleRunner', 'strategy.type=DDPStrategy'],
        ['env_cfg.dist_cfg.backend=gloo', 'auto_scale_lr.enable=True', 'visualizer.type=Visualizer'],
        ['param_scheduler.end=3', 'train_dataloader.sampler.type=RepeatAugSampler'],
        ['model.head.loss.class_weight=[1,2]', 'model.backbone.base_channels=8'],
        ['test_evaluator=[]', 'default_hooks.check_data=None', 'model.head.loss2.type=PODLoss'],
    ],
)
def test_new_keys_that_something_reads_are_accepted(options, root):
    read_config(root / DIGITS, options)


def test_an_option_of_a_model_that_needs_other_packages():
    """In its place mmpretrain registers a function."""
    with pytest.raises(UserError, match='no `class_weight`. Did you mean `loss_weight`'):
        check_option(dict(model=dict(type='BlipCaption', loss_weight=1)), 'model.class_weight', 1)
