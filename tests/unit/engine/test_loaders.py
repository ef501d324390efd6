import logging

import pytest
import torch
from mmengine.config import ConfigDict
from mmpretrain.structures import DataSample
from torch import nn

from mmpod.engine import loaders
from mmpod.engine.loaders import adapt_loaders, check_total_batch
from mmpod.models import PEDCCHead
from mmpod.utils.errors import UserError


@pytest.fixture
def warnings(monkeypatch):
    said = []

    def print_log(text, logger, level):
        assert level == logging.WARNING
        said.append(text)

    monkeypatch.setattr(loaders, 'print_log', print_log)
    return said


def config(batch_size=16, counts=1, **auto_scale_lr):
    wrapper = dict(accumulative_counts=counts) if counts != 1 else {}
    auto_scale_lr = dict(base_batch_size=64, **auto_scale_lr)
    return ConfigDict(train_dataloader=dict(batch_size=batch_size), optim_wrapper=wrapper, auto_scale_lr=auto_scale_lr)


@pytest.mark.parametrize('processes, batch_size, counts', [(1, 64, 1), (1, 16, 4), (2, 8, 4), (4, 16, 1)])
def test_the_batch_of_an_update_counts(processes, batch_size, counts, warnings, monkeypatch):
    monkeypatch.setattr(loaders, 'get_world_size', lambda: processes)
    check_total_batch(config(batch_size, counts), nn.Identity())
    assert warnings == []
    check_total_batch(config(2 * batch_size, counts), nn.Identity())
    batch = f'{processes} processes x {2 * batch_size} images x {counts} accumulated iterations = 128'
    assert len(warnings) == 1 and f'The total batch is {batch}' in warnings[0] and 'meant for 64' in warnings[0]


@pytest.mark.parametrize(
    'loss, counts, warned',
    [
        (dict(type='mmpod.PODLoss'), 4, True),
        (dict(type='mmpod.PODLoss', decorrelation='vicreg'), 4, True),
        (dict(type='mmpod.PODLoss'), 1, False),
        (dict(type='mmpod.PODLoss', sc_weight=0), 4, False),
        (dict(type='mmpod.PEDCCLoss', root=2), 4, True),
        (dict(type='mmpod.PEDCCLoss', root=2, mse_weight=0), 4, False),
        (dict(type='mmpod.PEDCCLoss'), 4, False),
        (dict(type='mmpod.AMSoftmaxLoss'), 4, False),
    ],
)
def test_statistics_of_the_batch_are_not_accumulated(loss, counts, warned, warnings):
    torch.manual_seed(0)
    head = PEDCCHead(3, 6, 8, loss=loss)
    labels = torch.arange(64) % 3
    features = torch.randn(64, 6)

    def gradient(rows):
        samples = [DataSample().set_gt_label(label) for label in labels[rows]]
        return torch.autograd.grad(sum(head.loss(features[rows], samples).values()), head.fc.weight)[0]

    check_total_batch(config(64 // counts, counts), nn.Sequential(nn.Identity(), head))
    assert len(warnings) == warned and all(f'accumulative_counts={counts} ' in text for text in warnings)
    parts = torch.stack([gradient(rows) for rows in torch.arange(64).split(64 // counts)])
    assert torch.allclose(parts.mean(dim=0), gradient(slice(None)), rtol=1e-3, atol=1e-5) is not warned


def test_the_rate_is_not_scaled_to_a_part_of_the_batch():
    with pytest.raises(UserError, match='--auto-scale-lr without accumulative_counts, but got 4'):
        check_total_batch(config(16, counts=4, enable=True), nn.Identity())
    check_total_batch(config(16, counts=4), ConfigDict())  # of FlexibleRunner


def test_no_batch_to_compare_with(warnings):
    check_total_batch(config(16, enable=True), nn.Identity())
    check_total_batch(ConfigDict(train_dataloader=dict(batch_size=3)), nn.Identity())
    assert warnings == []


@pytest.mark.parametrize('restart', [True, False])
def test_persistent_workers(restart, warnings):
    cfg = ConfigDict({f'{name}_dataloader': dict(num_workers=2, persistent_workers=True) for name in ('train', 'val')})
    cfg.test_dataloader = dict(num_workers=0, persistent_workers=True)
    adapt_loaders(cfg, restart)
    assert cfg.val_dataloader.persistent_workers and not cfg.test_dataloader.persistent_workers
    assert cfg.train_dataloader.persistent_workers is not restart
    assert len(warnings) == restart and all('default_hooks.epoch_seed=None' in text for text in warnings)
    adapt_loaders(cfg, restart)
    assert len(warnings) == restart  # nothing to say any more
