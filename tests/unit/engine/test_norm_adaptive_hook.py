from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch import nn
from torch.testing import assert_close

from mmpod.engine import NormAdaptiveHook, ResetMomentumHook
from mmpod.functional import pedcc
from mmpod.models import NormAdaptivePODLoss
from mmpod.models.losses import norm_adaptive_pod_loss
from mmpod.utils.errors import UserError


def runner_with(model, epoch=0, loop=EpochBasedTrainLoop):
    hub = MessageHub.get_instance('norm adaptive')
    return SimpleNamespace(model=model, epoch=epoch, message_hub=hub, train_loop=object.__new__(loop))


def test_delta_follows_the_lengths_of_the_epoch():
    loss, hook = NormAdaptivePODLoss(rate=0.01), NormAdaptiveHook()
    runner = runner_with(nn.Sequential(loss))
    hook.before_train(runner)
    features = torch.tensor([[3.0, 4.0, 0.0], [0.0, 0.0, 1.0]])  # of length 5 and 1
    for epoch, expected in ((0, 0.03), (1, 0.06)):
        runner.epoch = epoch
        loss(features, torch.tensor([0, 1]), pedcc(3, 3).float())
        hook.after_train_epoch(runner)
        assert_close(loss.delta.item(), expected, rtol=1e-6, atol=0)
    assert runner.message_hub.get_scalar('train/feature_length').current() == 3.0
    assert hook.priority == 'NORMAL'  # before the checkpoint is written


@pytest.mark.parametrize('rate, hooked, warnings', [(0.01, False, 1), (0.01, True, 0), (0, False, 0)])
def test_a_delta_that_nothing_sets_is_warned_of_once(rate, hooked, warnings, monkeypatch):
    loss, messages = NormAdaptivePODLoss(rate=rate), []
    monkeypatch.setattr(norm_adaptive_pod_loss, 'print_log', lambda text, *args: messages.append(text))
    if hooked:
        NormAdaptiveHook().before_train(runner_with(nn.Sequential(loss)))
    for training in (False, True, True):
        loss.train(training)(torch.ones(2, 3), torch.tensor([0, 1]), pedcc(3, 3).float())
        assert len(messages) == warnings * training
    assert all('NormAdaptiveHook' in text for text in messages)


def test_model_without_the_loss():
    with pytest.raises(TypeError, match='NormAdaptivePODLoss.*got 0.*head.loss'):
        NormAdaptiveHook().before_train(runner_with(nn.Linear(2, 2)))


@pytest.mark.parametrize('hook', [NormAdaptiveHook(), ResetMomentumHook([1])])
def test_a_loop_without_epochs(hook):
    model = nn.Sequential(NormAdaptivePODLoss())
    hook.before_train(runner_with(model))
    with pytest.raises(UserError, match=f'epochs for {type(hook).__name__}, but got IterBasedTrainLoop.*by_epoch=True'):
        hook.before_train(runner_with(model, loop=IterBasedTrainLoop))
