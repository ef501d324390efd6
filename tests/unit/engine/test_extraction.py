"""The training set of a config, read as the test set and each sample once; hooks of one view of each image."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.config import ConfigDict

from mmpod.engine import FewShotHook, FitGDAHook, OpenSetHook
from mmpod.engine.extraction import all_features, ordered_loader, training_set
from mmpod.models import AverageTTA, GDAClassifier, PEDCCHead
from mmpod.utils.errors import UserError

PLAIN = [dict(type='PackInputs')]


def leaf(name='train', pipeline='augmented'):
    return dict(type='CIFAR10', split=name, pipeline=pipeline)


def converted(train, test):
    loaders = ConfigDict(train_dataloader=dict(dataset=train), test_dataloader=dict(dataset=test))
    return training_set(SimpleNamespace(cfg=loaders))


@pytest.mark.parametrize(
    'train, expected',
    [
        (leaf(), leaf(pipeline=PLAIN)),
        (dict(type='RepeatDataset', times=3, dataset=leaf()), leaf(pipeline=PLAIN)),
        (dict(type='mmengine.ClassBalancedDataset', oversample_thr=0.1, dataset=leaf()), leaf(pipeline=PLAIN)),
        (
            dict(type='ConcatDataset', datasets=[leaf('a'), dict(type='RepeatDataset', times=2, dataset=leaf('b'))]),
            dict(type='ConcatDataset', datasets=[leaf('a', PLAIN), leaf('b', PLAIN)]),
        ),
        (
            dict(type='KFoldDataset', fold=1, dataset=leaf()),
            dict(type='KFoldDataset', fold=1, dataset=leaf(pipeline=PLAIN)),
        ),
        (dict(type='mmpod.InMemoryImages', dataset=leaf(pipeline=[])), leaf(pipeline=PLAIN)),
    ],
)
def test_wrappers_that_repeat_or_keep_are_left_out(train, expected):
    assert converted(train, leaf('test', PLAIN)) == expected


def test_images_are_in_memory_where_those_of_the_test_set_are():
    test = dict(type='mmpod.InMemoryImages', dataset=leaf('test', []))
    expected = dict(type='mmpod.InMemoryImages', dataset=leaf(pipeline=[]))
    for train in (leaf(), dict(type='RepeatDataset', times=2, dataset=expected)):
        assert converted(train, test) == expected


@pytest.mark.parametrize('train, test', [(dict(type='Own'), leaf()), (leaf(), dict(type='Own'))])
def test_datasets_without_a_pipeline_are_named(train, test):
    with pytest.raises(ValueError, match='their own `pipeline`, but got a Own without one.*FitGDAHook'):
        converted(train, test)


def test_images_without_labels_are_named_where_labels_are_read(runner_before_test, image_folder):
    class Model(torch.nn.Module):
        def data_preprocessor(self, batch, training):
            return batch

    pipeline = [dict(type='LoadImageFromFile'), *PLAIN]
    dataset = dict(type='CustomDataset', data_root=str(image_folder(['a'])), with_label=False, pipeline=pipeline)
    runner = runner_before_test(Model(), dataset)
    loader = ordered_loader(runner, dataset)

    def images_of(inputs):
        return dict(images=torch.stack(inputs))

    with pytest.raises(UserError, match='those of CustomDataset have none.*FitGDAHook'):
        all_features(runner, loader, images_of, 'images')
    found, labels = all_features(runner, loader, images_of, 'images', labelled=False)
    assert len(found['images']) == len(loader.dataset) == 4 and set(labels.tolist()) == {-1}


def test_a_set_in_another_channel_order_than_the_test_set_is_refused(runner_before_test, image_folder):
    pipeline = [dict(type='LoadImageFromFile'), *PLAIN]
    test = dict(type='CustomDataset', data_root=str(image_folder(['a'])), pipeline=pipeline)
    with pytest.raises(UserError, match=r'CIFAR10 \(a set read beside it\) gives RGB.*\(test_dataloader\) gives BGR'):
        ordered_loader(runner_before_test(dataset=test), dict(type='CIFAR10', data_root='nowhere', pipeline=PLAIN))


@pytest.mark.parametrize('pipeline, key', [([dict(type='LoadImageFromFile'), *PLAIN], 'img_path'), ([], 'inputs')])
def test_a_pipeline_for_another_kind_of_dataset_is_named(pipeline, key, runner_before_test):
    runner = runner_before_test()
    digits = runner.cfg.test_dataloader.dataset
    runner.cfg.train_dataloader = dict(dataset=digits)
    runner.cfg.test_dataloader.dataset = dict(digits, pipeline=pipeline)
    with pytest.raises(UserError, match=f"samples of SklearnDigits.*no '{key}' in one.*`dataset` of FitGDAHook"):
        ordered_loader(runner, training_set(runner))


def test_gaussians_of_more_classes_than_a_prediction_scores_are_refused(monkeypatch):
    monkeypatch.setattr(PEDCCHead, 'MAX_SCORES', 2)  # instead of 32,768
    head = dict(type='mmpod.PEDCCHead', num_classes=3, in_channels=4, feat_dim=4, loss=dict(type='mmpod.PODLoss'))
    with pytest.raises(ValueError, match='at most 2 classes for GDAClassifier.* got 3'):
        GDAClassifier(backbone=dict(type='mmpretrain.LeNet5'), head=head)


def test_hooks_of_one_view_refuse_test_time_augmentation():
    head = dict(type='mmpod.PEDCCHead', num_classes=3, in_channels=4, feat_dim=4, loss=dict(type='mmpod.PODLoss'))
    classifier = GDAClassifier(backbone=dict(type='mmpretrain.LeNet5'), head=head)
    runner = SimpleNamespace(model=AverageTTA(classifier))
    few_shot, gda, open_set = FewShotHook({}, {}), FitGDAHook(), OpenSetHook('unknown')
    for start in (few_shot.before_test, gda.before_test_epoch, open_set.before_test):
        name = type(start.__self__).__name__
        with pytest.raises(ValueError, match=f'one view of each image for {name}.*Leave --tta out'):
            start(runner)
