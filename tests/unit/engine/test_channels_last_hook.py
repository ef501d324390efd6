from types import SimpleNamespace

import torch
from torch import nn
from torch.testing import assert_close

from mmpod.engine import ChannelsLastHook


def test_activations_follow_and_values_stay():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 5, 3))
    images = torch.randn(2, 3, 8, 8)
    expected = model(images)
    ChannelsLastHook().before_train(SimpleNamespace(model=model))
    measured = model(images)
    assert measured.is_contiguous(memory_format=torch.channels_last)
    assert_close(measured, expected)
