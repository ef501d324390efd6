"""The fast path trains what the plain path trains, and does not wait for the device in an iteration."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.logging import MessageHub
from mmpretrain.datasets import PackInputs
from mmpretrain.models import ClsDataPreprocessor
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch.utils._python_dispatch import TorchDispatchMode

import mmpod
from mmpod.datasets import InMemoryImages
from mmpod.engine import CompileFeaturesHook, DeferredRuntimeInfoHook
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


def test_logs_the_values_that_mmengine_logs():
    class Runner:
        hooks = [LoggerHook(interval=3)]
        train_dataloader = range(5)
        optim_wrapper = type('Wrapper', (), dict(get_lr=lambda self: dict(lr=[0.1])))()
        iter = 0

    values = [dict(loss=torch.tensor(float(index)), own=torch.tensor(-1.0)) for index in range(5)]
    logs = []
    for kind in (RuntimeInfoHook, DeferredRuntimeInfoHook):
        runner = Runner()
        runner.message_hub = MessageHub.get_instance(f'fast path {kind.__name__}')
        hook = kind()
        if kind is DeferredRuntimeInfoHook:
            hook.pending, hook.interval = [], 3
        for index, outputs in enumerate(values):
            hook.after_train_iter(runner, index, outputs=outputs)
        logs.append({name: buffer.data[0].tolist() for name, buffer in runner.message_hub.log_scalars.items()})
    assert logs[0] == logs[1] and logs[0]['train/loss'] == [0, 1, 2, 3, 4]


def test_a_checkpoint_within_an_interval_holds_the_values_up_to_it(config, tmp_path):
    use_fast_path(config)
    config.train_cfg.max_epochs = 1
    config.default_hooks.checkpoint = dict(type='CheckpointHook', by_epoch=False, interval=7, save_last=False)
    with runner_session(config) as runner:
        runner.train()
    for iteration in (7, 14):  # the log has an interval of 10
        saved = torch.load(tmp_path / f'iter_{iteration}.pth', weights_only=True)
        assert len(saved['message_hub']['log_scalars']['train/loss']['values']) == iteration


def test_a_batch_as_one_item_is_preprocessed_as_single_samples_are():
    source = dict(type='mmpod.SklearnDigits', split='test', pipeline=[])
    single, whole = InMemoryImages(source), InMemoryImages(source, whole_batches=True)
    preprocessor = MODELS.build(
        dict(type='mmpod.CropFlipPreprocessor', padding=1, num_classes=10, mean=[78.0] * 3, std=[96.0] * 3)
    )
    results = []
    for items in (single.__getitems__([3, 5, 8]), whole.__getitems__([3, 5, 8])):
        torch.manual_seed(0)
        batch = {key: [item[key] for item in items] for key in items[0]}
        results.append(preprocessor(batch, training=True))
    torch.testing.assert_close(results[0]['inputs'], results[1]['inputs'])
    labels = [torch.cat([sample.gt_label for sample in result['data_samples']]) for result in results]
    assert labels[0].tolist() == labels[1].tolist() == [int(single.labels[index]) for index in (3, 5, 8)]


def test_soft_labels_keep_one_sample_per_image():
    preprocessor = MODELS.build(
        dict(type='mmpod.CropFlipPreprocessor', padding=1, num_classes=4, to_onehot=True, mean=[0.0] * 3, std=[1.0] * 3)
    )
    sample = DataSample().set_gt_label(torch.tensor([1, 3]))
    data = preprocessor(dict(inputs=[torch.zeros(2, 3, 8, 8, dtype=torch.uint8)], data_samples=[sample]), True)
    assert [sample.gt_score.tolist() for sample in data['data_samples']] == [[0, 1, 0, 0], [0, 0, 0, 1]]


def pipeline_of(config):
    return config.train_dataloader.dataset.pipeline


def wrap(loader):
    loader.dataset = dict(type='RepeatDataset', times=2, dataset=loader.dataset)


def augment(loader):
    loader.dataset.pipeline = [dict(type='TestTimeAug', transforms=[[dict(type='PackInputs')]])]


@pytest.mark.parametrize(
    'change, words',
    [
        (lambda cfg: pipeline_of(cfg).insert(0, dict(type='ColorJitter')), 'ColorJitter.*Leave fast=True out'),
        (lambda cfg: pipeline_of(cfg)[0].update(padding_mode='reflect'), 'a border of zeros.*RandomCrop.*reflect'),
        (lambda cfg: pipeline_of(cfg)[0].update(pad_val=114), 'a border of zeros.*RandomCrop.*114'),
        (lambda cfg: pipeline_of(cfg)[0].update(crop_size=(8, 6)), r'crop squares.*\(8, 6\)'),
        (lambda cfg: wrap(cfg.train_dataloader), 'train_dataloader.dataset to be .* the wrapper RepeatDataset'),
        (lambda cfg: wrap(cfg.val_dataloader), 'val_dataloader.dataset to be .* the wrapper RepeatDataset'),
        (lambda cfg: augment(cfg.val_dataloader), 'one view .* got --tta. Leave fast=True out'),
    ],
    ids=['transform', 'padding mode', 'padding value', 'no square', 'training wrapper', 'validation wrapper', 'tta'],
)
def test_refuses_what_it_would_change(change, words, config):
    change(config)
    with pytest.raises(ValueError, match=words):
        use_fast_path(config)


@pytest.mark.parametrize('pack', ['mmpretrain.PackInputs', PackInputs])
def test_types_may_have_a_scope_or_be_classes(config, pack):
    config.train_dataloader.dataset.pipeline[-1].type = pack
    config.val_dataloader.dataset.pipeline[-1].type = pack
    config.data_preprocessor.type = ClsDataPreprocessor if pack is PackInputs else 'mmpretrain.ClsDataPreprocessor'
    use_fast_path(config)
    assert config.val_dataloader.dataset.dataset.pipeline == [] and config.model.data_preprocessor.padding == 1


@pytest.mark.parametrize(
    'flip, prob', [([], 0), ([dict(type='RandomFlip')], 0.5), ([dict(type='RandomFlip', prob=0.3)], 0.3)]
)
def test_flips_as_often_as_the_pipeline(flip, prob, config):
    config.train_dataloader.dataset.pipeline[1:1] = flip
    use_fast_path(config)
    assert config.model.data_preprocessor.flip_prob == prob


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


def test_a_pure_python_config_stays_one_that_can_be_written(pure_python):
    cfg = Config.fromfile(pure_python)
    use_fast_path(cfg)
    cfg = Config.fromstring(cfg.pretty_text, '.py')
    assert cfg.train_dataloader.dataset.dataset.type.endswith('SklearnDigits')
