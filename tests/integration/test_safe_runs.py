"""Either the right number or a sentence: hand-written configs, folders and foreign checkpoints through the tools."""

import re
import shutil

import mmengine
import pytest
import torch
from helpers import GDA, POD, ROOT, SOFTMAX, read_log
from mmengine.config import Config
from mmpretrain import get_model

from mmpod.engine.runner_session import SAFETY_HOOKS

CLASSES = ['ant', 'cat', 'dog']
# As somebody writes it who has mmpretrain: nothing of mmpod in it.
HANDWRITTEN = """
def loader(split):
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    dataset = dict(type='CustomDataset', data_root='images', data_prefix=split, pipeline=pipeline)
    return dict(batch_size=4, num_workers=0, dataset=dataset, sampler=dict(type='DefaultSampler', shuffle=True))


default_scope = 'mmpretrain'
data_preprocessor = dict(num_classes=3, mean=[127.0] * 3, std=[64.0] * 3)
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ResNet_CIFAR',
        depth=18,
        stem_channels=4,
        base_channels=4,
        num_stages=1,
        strides=(2,),
        dilations=(1,),
        out_indices=(0,),
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=3, in_channels=4),
)
train_dataloader, val_dataloader, test_dataloader = map(loader, ('train', 'val', 'test'))
val_evaluator = test_evaluator = dict(type='Accuracy')
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01))
train_cfg = dict(by_epoch=True, max_epochs=2)
val_cfg = test_cfg = dict()
"""


@pytest.fixture
def own(tmp_path, image_folder):
    """A hand-written config beside a folder of three classes; return the config's name."""
    image_folder(CLASSES, root=tmp_path / 'images', splits=('train', 'val', 'test'))
    (tmp_path / 'own.py').write_text(HANDWRITTEN)
    return 'own.py'


@pytest.fixture
def checkpoint(own, tmp_path):
    """Its weights, as a training run has saved them."""
    path, meta = tmp_path / 'own.pth', dict(dataset_meta=dict(classes=tuple(CLASSES)))
    torch.save(dict(state_dict=get_model(tmp_path / own).state_dict(), meta=meta), path)
    return path


def test_folders_with_other_classes(tool, own, checkpoint, tmp_path):
    """Without a word, labels from `dog` on would be shifted."""
    for split in ('val', 'test'):
        shutil.rmtree(tmp_path / 'images' / split / 'cat')
    found = "2 classes instead of 3, the first difference at label 1: 'dog' instead of 'cat'"
    _, error = tool('train', own)
    assert f'val_dataloader to be those of train_dataloader, but got {found}' in error
    words = f'be those of the checkpoint, but got {found}'
    assert words in tool('test', own, checkpoint)[1]
    assert words in tool('plot_geometry', own, checkpoint, '--out', 'drawn', '--method', 'pca')[1]
    said, error = tool('test', own, checkpoint, '--cfg-options', 'default_hooks.check_data=None')
    assert not error and 'accuracy/top1' in said


@pytest.mark.parametrize(
    'name, options',
    [
        ('test', []),
        ('export', ['--format', 'torchscript']),
        ('plot_geometry', ['--out', 'drawn', '--method', 'pca']),
    ],
)
def test_part_of_the_weights_is_refused_unless_allowed(name, options, tool):
    weights = get_model(POD).state_dict()
    weights.pop('head.fc.bias')
    torch.save(dict(state_dict=weights), 'part.pth')
    _, error = tool(name, POD, 'part.pth', *options)
    assert 'part.pth' in error and 'head.fc.bias' in error and '--allow-missing' in error
    said, error = tool(name, POD, 'part.pth', '--allow-missing', *options)
    assert not error and ('accuracy/top1' in said) == (name == 'test')


def test_gaussians_refuse_the_weights_of_another_model(tool):
    torch.save(dict(state_dict=get_model(SOFTMAX).state_dict()), 'other.pth')
    _, error = tool('test', GDA, 'other.pth')
    assert 'other.pth' in error and 'head.fc.weight' in error and '--allow-missing' in error


def test_a_training_starts_from_the_weights_that_fit(tool):
    torch.save(dict(state_dict=get_model(SOFTMAX).state_dict()), 'other.pth')
    assert not tool('train', POD, '--cfg-options', 'load_from=other.pth', 'train_cfg.max_epochs=1')[1]


def test_a_handwritten_config_is_converted_and_trains(tool, own):
    assert not tool('convert_config', own, '-o', 'pod.py')[1]
    assert not tool('train', 'pod.py', '--cfg-options', 'train_cfg.max_epochs=1')[1]


@pytest.mark.parametrize(
    'options, words',
    [
        (['model.head.num_classes=5'], 'Set model.head.num_classes=3'),
        (['train_dataloader.batch_size=8', 'train_dataloader.drop_last=True'], '6 samples per process'),
        (['train_dataloader.dataset.metainfo.classes=[ant,cat,dog,emu]'], 'CustomDataset cannot be built'),
        (['train_dataloader.dataset.ann_file=labels.txt'], 'but got values from 0 to 7'),
    ],
)
def test_handwritten_configs_get_all_checks(options, words, tool, own, tmp_path):
    (tmp_path / 'images/labels.txt').write_text('ant/0000.png 0\nant/0001.png 7\n')
    _, error = tool('train', own, '--cfg-options', *options)
    assert words in error and not list(tmp_path.glob('work_dirs/own/*.pth'))


def test_handwritten_config_trains_and_says_what_it_changes(tool, own, tmp_path):
    options = ['--cfg-options', 'train_dataloader.persistent_workers=True', 'train_dataloader.num_workers=1']
    said, error = tool('train', own, *options)
    assert not error and re.search(r'persistent_workers=True is treated as False.*EpochSeedHook', said)
    assert 'will be deprecated' not in said
    content = torch.load(tmp_path / 'work_dirs/own/epoch_2.pth', weights_only=True)
    assert list(content['meta']['dataset_meta']['classes']) == CLASSES


def test_hooks_can_be_switched_off(tool, own, tmp_path):
    names = ['check_data', 'check_weights', 'epoch_seed', 'features', 'invalid_loss', 'validate_on_resume']
    options = [f'default_hooks.{name}=None' for name in names]
    _, error = tool(
        'train', own, '--cfg-options', 'train_cfg.max_epochs=1', 'optim_wrapper.optimizer.lr=1e30', *options
    )
    assert not error and (tmp_path / 'work_dirs/own/epoch_1.pth').is_file()


def test_base_config_has_the_hooks_of_the_session():
    hooks = Config.fromfile(ROOT / 'configs/_base_/default_runtime.py').default_hooks
    assert {name: hooks[name].type for name in SAFETY_HOOKS} == {k: f'mmpod.{v}' for k, v in SAFETY_HOOKS.items()}


@pytest.mark.parametrize('suffix', ['json', 'pkl'])
def test_confusion_matrix_is_written_as_lists(suffix, tool, own, checkpoint, tmp_path):
    with (tmp_path / own).open('a') as file:
        file.write("test_evaluator = [dict(type='Accuracy'), dict(type='ConfusionMatrix')]\n")
    _, error = tool('test', own, checkpoint, '--out', f'metrics.{suffix}', '--out-item', 'metrics')
    assert not error
    metrics = mmengine.load(tmp_path / f'metrics.{suffix}')
    matrix = metrics['confusion_matrix/result']
    assert [sum(row) for row in matrix] == [2, 2, 2]
    assert metrics['accuracy/top1'] == pytest.approx(100 * sum(matrix[i][i] for i in range(3)) / 6, abs=1e-3)


def test_file_for_the_metrics_is_looked_at_before_the_test(tool, own, checkpoint):
    said, _ = tool('test', own, checkpoint, '--out', 'metrics.txt', '--out-item', 'metrics')
    assert 'Expected --out to end in .json' in said and 'accuracy' not in said


def test_loss_that_a_resumed_run_no_longer_has_leaves_the_log(tool, tmp_path):
    command = ['train', POD, '--work-dir', 'run', '--resume', '--cfg-options']
    options = ['train_dataloader.dataset.indices=128', 'default_hooks.logger.interval=1']
    tool(*command, 'train_cfg.max_epochs=1', *options)
    said, error = tool(*command, 'train_cfg.max_epochs=2', 'model.head.loss.sc_weight=0', *options)
    assert not error and 'resumed epoch: 1' in said and 'an earlier training' not in said
    assert 'model.head.loss.sc_weight: 1.0 -> 0, train_cfg.max_epochs: 1 -> 2. Seed, learning rate' in said
    terms = [{key for key in entry if 'loss' in key} for entry in read_log(tmp_path / 'run') if 'loss' in entry]
    assert terms == [{'loss', 'loss_cosine', 'loss_sc'}] * 2 + [{'loss', 'loss_cosine'}] * 2
    said, error = tool('train', POD, '--work-dir', 'run', '--cfg-options', 'train_cfg.max_epochs=1')
    assert not error and 'run has checkpoints of an earlier training' in said


@pytest.mark.parametrize('num_workers', [0, 1])
def test_iteration_based_run_with_mixup_resumes_exactly(num_workers, tool, tmp_path):
    (tmp_path / 'iterations.py').write_text(
        f"_base_ = ['{POD}']\n"
        "train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=6, val_interval=2)\n"
        f"train_dataloader = dict(num_workers={num_workers}, sampler=dict(type='InfiniteSampler'))\n"
        "model = dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=0.8)]))\n"
        'default_hooks = dict(checkpoint=dict(by_epoch=False, interval=3, max_keep_ckpts=-1))\n'
        'log_processor, randomness, param_scheduler = dict(by_epoch=False), dict(seed=0), None\n'
    )
    said, error = tool('train', 'iterations.py', '--work-dir', 'run')
    assert not error and 'does not end with exactly' not in said
    uninterrupted = torch.load('run/iter_6.pth', weights_only=True)['state_dict']
    said, error = tool('train', 'iterations.py', '--work-dir', 'run', '--resume', 'run/iter_3.pth')
    assert not error and 'resumed epoch: 0, iter: 3' in said and 'have changed' not in said
    resumed = torch.load('run/iter_6.pth', weights_only=True)['state_dict']
    assert all(torch.equal(resumed[name], value) for name, value in uninterrupted.items())
