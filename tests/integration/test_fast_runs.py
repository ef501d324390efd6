"""Runs of the fast path train what plain runs train, and do not wait for the device in an iteration."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import RuntimeInfoHook
from mmpretrain.registry import MODELS
from torch.utils._python_dispatch import TorchDispatchMode

import mmpod
from mmpod.engine import CompileFeaturesHook
from mmpod.engine.fast_path import use_fast_path
from mmpod.engine.runner_session import runner_session


class CountReads(TorchDispatchMode):
    """Count what reads a tensor's value on the host, which on a GPU waits for the device."""

    def __init__(self):
        super().__init__()
        self.reads = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.reads += func.name() in ('aten::_local_scalar_dense', 'aten::nonzero', 'aten::is_nonzero')
        return func(*args, **(kwargs or {}))


@MODELS.register_module(force=True)
class OneConvolution(torch.nn.Module):
    """Enough for digits, in a thousandth of the time of a ResNet."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 16, 3, stride=2, padding=1)

    def forward(self, images):
        return (self.conv(images).relu().flatten(1),)


@pytest.fixture
def config(tmp_path):
    cfg = Config.fromfile(mmpod.config_file('small/pod_digits'))
    cfg.model.backbone, cfg.model.neck = dict(type='OneConvolution'), None
    cfg.merge_from_dict(
        {
            'work_dir': str(tmp_path),
            'log_level': 'ERROR',
            'randomness': dict(seed=0),
            'model.head': dict(in_channels=256, feat_dim=16),
            'train_dataloader.drop_last': True,
            'train_cfg.max_epochs': 2,
            'param_scheduler': None,
            'optim_wrapper.optimizer': dict(momentum=0, weight_decay=0),
            'default_hooks.logger.interval': 10,
        }
    )
    return cfg


def test_trains_to_the_accuracy_of_the_plain_path(config):
    fast = Config(dict(config, fast=True))
    accuracies = []
    for cfg in (config, fast):
        with runner_session(cfg) as runner:
            runner.train()
            accuracies.append(runner.val()['accuracy/top1'])
    assert runner.train_dataloader.dataset.whole_batches
    assert abs(accuracies[0] - accuracies[1]) < 10 and min(accuracies) > 70


def test_a_config_that_only_evaluates_needs_no_training_sections(config):
    for name in ('dataloader', 'cfg', 'evaluator'):
        config[f'test_{name}'] = config.pop(f'val_{name}')
    accuracies = []
    for options in ({}, dict(fast=True, train_dataloader=None, train_cfg=None, optim_wrapper=None)):
        with runner_session(Config({**copy.deepcopy(config), **options})) as runner:
            accuracies.append(runner.test()['accuracy/top1'])
    assert accuracies[0] == accuracies[1] and runner.optim_wrapper is None


@pytest.mark.parametrize(('hook', 'per_iteration'), [('mmpod.DeferredRuntimeInfoHook', 0), ('RuntimeInfoHook', 3)])
def test_an_iteration_reads_nothing_back(config, hook, per_iteration):
    use_fast_path(config)
    config.default_hooks.runtime_info.type = hook
    with runner_session(config) as runner:
        counts = []

        class Count(RuntimeInfoHook):
            def before_train_iter(self, runner, batch_idx, data_batch=None):
                self.mode = CountReads()
                self.mode.__enter__()

            def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
                self.mode.__exit__(None, None, None)
                counts.append(self.mode.reads)

        runner.register_hook(Count(), priority='LOWEST')
        runner.train()
    between_log_lines = [count for index, count in enumerate(counts[:-1]) if (index + 1) % 10]
    assert set(between_log_lines) == {per_iteration}  # MMEngine: the loss and its two terms


def test_a_checkpoint_within_an_interval_holds_the_values_up_to_it(config, tmp_path):
    use_fast_path(config)
    config.train_cfg.max_epochs = 1
    config.default_hooks.checkpoint = dict(type='CheckpointHook', by_epoch=False, interval=7, save_last=False)
    with runner_session(config) as runner:
        runner.train()
    for iteration in (7, 14):  # the log has an interval of 10
        saved = torch.load(tmp_path / f'iter_{iteration}.pth', weights_only=True)
        assert len(saved['message_hub']['log_scalars']['train/loss']['values']) == iteration


def test_refuses_images_of_another_size_than_the_crop(config):
    config.train_dataloader.dataset.pipeline[0].crop_size = 6
    config.fast = True
    with pytest.raises(ValueError, match='6 x 6 pixels'), runner_session(config) as runner:
        runner.train()


def test_compiles_the_features_of_full_training_batches_only(config, monkeypatch):
    sizes = []

    def compiled(function, **_):
        return lambda images: sizes.append(len(images)) or function(images)

    monkeypatch.setattr(torch, 'compile', compiled)
    config.compile = dict(target='extract_feat', backend='eager')
    config.train_dataloader.drop_last = False
    with runner_session(config) as runner:
        hook = next(hook for hook in runner.hooks if isinstance(hook, CompileFeaturesHook))
        assert hook.options == dict(backend='eager')
        runner.train()
        runner.val()
    assert sizes == [64] * 20 * 2  # of 1,297 images in two epochs
    with pytest.raises(ValueError, match="`target` to be one of 'extract_feat', but got 'loss'"):
        CompileFeaturesHook('loss')
