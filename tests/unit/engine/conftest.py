"""What the tests of hooks and checkpoints share."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpretrain.registry import DATASETS

DIGITS = dict(type='mmpod.SklearnDigits', split='test', pipeline=[dict(type='PackInputs')])


@pytest.fixture
def runner_before_test():
    """Stand for a Runner that is about to test a model on a dataset, by default the digits."""

    def build(model=None, dataset=DIGITS):
        return SimpleNamespace(
            model=model,
            cfg=ConfigDict(test_dataloader=dict(batch_size=2, num_workers=0, dataset=dataset)),
            test_dataloader=SimpleNamespace(dataset=DATASETS.build(dataset)),
            test_loop=SimpleNamespace(fp16=False),
            build_dataloader=Runner.build_dataloader,
            seed=0,
        )

    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield build


@pytest.fixture
def saved(tmp_path):
    """Write weights to a file, as a checkpoint."""

    def save(weights, **more):
        torch.save(dict(state_dict=weights, **more), tmp_path / 'weights.pth')
        return tmp_path / 'weights.pth'

    return save
