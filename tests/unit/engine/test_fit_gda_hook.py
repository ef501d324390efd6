"""What FitGDAHook refuses before it fits, and its blocks; tests/integration/test_gda_tools.py has the fits."""

from types import SimpleNamespace

import pytest
import torch
from mmpretrain.models import AverageClsScoreTTA

from mmpod.engine import FitGDAHook
from mmpod.engine.hooks import fit_gda_hook
from mmpod.models import AverageTTA, GDAClassifier
from mmpod.utils.errors import UserError


@pytest.fixture
def runner(runner_before_test):
    head = dict(type='mmpod.PEDCCHead', num_classes=10, in_channels=4, feat_dim=10, loss=dict(type='mmpod.PODLoss'))
    return runner_before_test(GDAClassifier(backbone=dict(type='mmpretrain.LeNet5'), head=head))


@pytest.mark.parametrize('named', [True, False])
def test_a_set_of_other_classes(named, runner):
    dataset = dict(runner.cfg.test_dataloader.dataset, split='train', metainfo=dict(classes=list('0123456798')))
    runner.cfg.train_dataloader = dict(dataset=dataset)
    hook = FitGDAHook(dataset) if named else FitGDAHook()
    with pytest.raises(UserError, match="FitGDAHook fits on to be those of test_dataloader.*label 8: '9'") as error:
        hook.before_test_epoch(runner)
    assert 'check_data=None' not in str(error.value)  # which would not help


def test_augmentation_that_keeps_scores_of_one_view(runner):
    classifier = runner.model
    classifier.fitted = 'gda.npz'
    runner.model = AverageTTA(classifier)
    FitGDAHook().before_test_epoch(runner)
    runner.model = AverageClsScoreTTA(classifier)
    with pytest.raises(ValueError, match='mmpod.AverageTTA as `tta_model`.* of one view'):
        FitGDAHook().before_test_epoch(runner)


def test_folders_in_another_order(runner, image_folder):
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    folders = dict(type='CustomDataset', data_root=str(image_folder(['1', '2']) / 'train'), pipeline=pipeline)
    runner.test_dataloader.dataset = SimpleNamespace(folder_to_idx={'01': 0, '2': 1})
    with pytest.raises(UserError, match="FitGDAHook fits on to be those of test_dataloader.*'1' instead of '01'"):
        FitGDAHook(folders).before_test_epoch(runner)


def test_a_file_that_cannot_be_saved(runner, tmp_path):
    with pytest.raises(UserError, match='`save_to` of FitGDAHook to be a file, but got the folder'):
        FitGDAHook(save_to=str(tmp_path)).before_test_epoch(runner)


@pytest.mark.parametrize('loader', [{}, dict(train_dataloader=None)])
def test_a_config_without_a_training_set(loader, runner):
    runner.cfg.update(loader)
    with pytest.raises(UserError, match='train_dataloader.*`dataset` of FitGDAHook'):
        FitGDAHook().before_test_epoch(runner)


def test_images_without_labels(runner, image_folder):
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    dataset = dict(type='mmpod.UnlabelledImages', data_root=str(image_folder(['a'])), pipeline=pipeline)
    with pytest.raises(UserError, match='labels.*UnlabelledImages.*`dataset` of FitGDAHook'):
        FitGDAHook(dataset).before_test_epoch(runner)


def test_blocks_hold_each_row_once(monkeypatch):
    monkeypatch.setattr(fit_gda_hook, 'ROWS', 5)
    features, labels = torch.randn(16, 2), torch.arange(16)
    sizes = [3, 3, 1, 7, 2]
    blocks = list(fit_gda_hook._in_blocks(zip(features.split(sizes), labels.split(sizes))))
    assert [len(rows) for rows, _ in blocks] == [6, 8, 2]
    for parts, whole in zip(zip(*blocks), (features, labels)):
        assert torch.equal(torch.cat(parts), whole)
