"""What the fast path makes of a config, its log, its batches, and what it refuses."""

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.logging import MessageHub
from mmpretrain.datasets import PackInputs
from mmpretrain.models import ClsDataPreprocessor
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

import mmpod
from mmpod.datasets import InMemoryImages
from mmpod.engine import DeferredRuntimeInfoHook
from mmpod.engine.fast_path import use_fast_path


@pytest.fixture
def config():
    return Config.fromfile(mmpod.config_file('small/pod_digits'))


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


def test_a_pure_python_config_stays_one_that_can_be_written(pure_python):
    cfg = Config.fromfile(pure_python)
    use_fast_path(cfg)
    cfg = Config.fromstring(cfg.pretty_text, '.py')
    assert cfg.train_dataloader.dataset.dataset.type.endswith('SklearnDigits')
