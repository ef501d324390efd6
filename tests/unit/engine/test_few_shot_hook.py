"""Other classes from a few images of each: the draws, the features and what is refused."""

import pytest
import torch
from torch.testing import assert_close

from mmpod.datasets import SklearnDigits
from mmpod.engine import FewShotHook
from mmpod.engine.hooks.few_shot_hook import mean_over_positions
from mmpod.functional.few_shot import draws
from mmpod.utils.errors import UserError


def test_draws_are_disjoint_and_balanced():
    labels = torch.tensor([0, 1, 0, 1, 1, 0, 0, 1, 1])
    assert [draw.tolist() for draw in draws(labels, 2, 2)] == [[0, 2, 1, 3], [5, 6, 4, 7]]
    with pytest.raises(ValueError, match='at least 6 support images.*one class has 4'):
        draws(labels, 2, 3)
    with pytest.raises(ValueError, match='one class has 0'):
        draws(labels, 3, 2)


def test_arguments():
    for shots, error in (([0], ValueError), (['5'], TypeError), ('5', TypeError)):
        with pytest.raises(error, match='`shots` to be an integer of at least 1'):
            FewShotHook({}, {}, shots=shots)
    assert FewShotHook({}, {}, shots=5).shots == [5]


def test_images_in_memory_have_the_same_overrides(runner_before_test):
    memory = dict(type='mmpod.InMemoryImages', dataset=dict(type='mmpod.SklearnDigits', split='test', pipeline=[]))
    hook = FewShotHook(dict(split='train'), dict(indices=30))
    hook.before_test(runner_before_test(dataset=memory))
    assert [len(loader.dataset) for loader in hook.loaders] == [len(SklearnDigits('train', pipeline=[])), 30]


def test_support_and_query_sets_of_other_classes_are_refused(runner_before_test):
    support = dict(metainfo=dict(classes=list('0123456798')))
    with pytest.raises(UserError, match="support set.*label 8: '8' instead of '9'"):
        FewShotHook(support, {}).before_test(runner_before_test())


def test_the_mean_over_positions_keeps_the_channels():
    maps = torch.arange(24.0).reshape(1, 2, 3, 4)
    expected = torch.tensor([[5.5, 17.5]])  # of 0 to 11 and 12 to 23
    for output in (maps, maps.flatten(2).transpose(1, 2), expected):  # feature maps, tokens, vectors
        assert_close(mean_over_positions((output,)), expected)
    two = [expected, 2 * expected]
    assert_close(mean_over_positions((two,)), torch.tensor([[5.5, 17.5, 11, 35]]))


def test_folders_in_another_order_are_refused(runner_before_test, image_folder, tmp_path):
    image_folder(['1', '2'], root=tmp_path, splits=['support'])
    image_folder(['01', '2'], root=tmp_path, splits=['query'])
    names = dict(data_root=str(tmp_path), metainfo=dict(classes=['one', 'two']))
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    test = dict(type='CustomDataset', data_prefix='query', pipeline=pipeline, **names)
    with pytest.raises(UserError, match="query set of FewShotHook to be those of the support set.*'01' instead of '1'"):
        FewShotHook(dict(data_prefix='support'), {}).before_test(runner_before_test(dataset=test))


def test_scikit_learn_is_missing(runner_before_test, monkeypatch):
    runner = runner_before_test()
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(ModuleNotFoundError, match='sklearn for FewShotHook'):
        FewShotHook({}, {}, shots=[1]).before_test(runner)
