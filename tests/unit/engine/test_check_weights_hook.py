"""What a run does with the settings and the losses of its checkpoint."""

import copy
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmpretrain.engine.hooks import SwitchRecipeHook
from torch import nn

from mmpod.engine.hooks import check_weights_hook
from mmpod.engine.hooks.check_weights_hook import CheckWeightsHook
from mmpod.models import ASoftmaxLoss, CenterLoss, LearnedPrototypeHead, LSoftmaxLoss, NormAdaptivePODLoss
from mmpod.utils.errors import UserError


@pytest.mark.parametrize('text, said', [('lr = 0.1', 'lr: 0.1 -> 0.3'), ('lr = 0.3', None), ('lr = <object>', None)])
def test_changed_settings_are_named_and_unreadable_ones_passed_over(text, said, monkeypatch):
    messages = []
    monkeypatch.setattr(check_weights_hook, 'print_log', lambda message, **_: messages.append(message))
    model = nn.Linear(1, 1)
    cfg = Config(dict(lr=0.3))
    runner = SimpleNamespace(model=model, cfg=cfg, hooks=[], _resume=True, _load_from='epoch_1.pth')
    checkpoint = dict(state_dict=model.state_dict(), meta=dict(cfg=text))
    CheckWeightsHook().after_load_checkpoint(runner, checkpoint)
    assert [said in message for message in messages] == [True] * bool(said)


def test_a_schedule_that_changes_from_or_to_a_loss_of_mmpod_is_refused():
    def train(model, **loss):
        schedule = SwitchRecipeHook([dict(action_epoch=2, loss=loss)])
        CheckWeightsHook().before_train(SimpleNamespace(model=model, hooks=[schedule], _resume=False))

    with_head = nn.Module()
    with_head.head = LearnedPrototypeHead(3, 2, dict(type='mmpod.AMSoftmaxLoss'))
    smooth = dict(type='mmpretrain.LabelSmoothLoss', label_smooth_val=0.1)
    train(nn.Identity(), **smooth)
    for model, loss in ((nn.Identity(), dict(type='mmpod.PODLoss')), (with_head, smooth)):
        with pytest.raises(UserError, match='SwitchRecipeHook changes to another.*two runs.*load_from'):
            train(model, **loss)


@pytest.mark.parametrize('resume', [False, True])
def test_schedules_of_losses_start_anew_unless_resumed(resume):
    features, labels, prototypes = torch.rand(4, 3), torch.arange(4) % 3, torch.eye(3)
    trained = nn.ModuleList([NormAdaptivePODLoss(0.2), LSoftmaxLoss(), CenterLoss(3, 3)])
    for loss in trained:
        loss(features, labels, prototypes)
    trained[0].update_delta(5)
    trained[0](features, labels, prototypes)
    model, hook = nn.ModuleList([NormAdaptivePODLoss(0.1), ASoftmaxLoss(), CenterLoss(3, 3)]), CheckWeightsHook()
    start = copy.deepcopy(model.state_dict())
    runner = SimpleNamespace(model=model, hooks=[], cfg=Config(), _resume=resume, _load_from='epoch_5.pth')
    hook.after_load_checkpoint(runner, dict(state_dict=trained.state_dict()))
    model.load_state_dict(trained.state_dict())
    hook.before_train(runner)
    start['2.centers'] = trained[2].centers  # learned, as weights are
    expected = trained.state_dict() if resume else start
    torch.testing.assert_close(dict(model.state_dict()), dict(expected), rtol=0, atol=0)
    assert trained[1].iteration == 1 and trained[0].length_count == 4
