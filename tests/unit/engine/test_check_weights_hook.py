"""What a resumed run says about the settings of its checkpoint."""

from types import SimpleNamespace

import pytest
from mmengine.config import Config
from torch import nn

from mmpod.engine.hooks import check_weights_hook
from mmpod.engine.hooks.check_weights_hook import CheckWeightsHook


@pytest.mark.parametrize('text, said', [('lr = 0.1', 'lr: 0.1 -> 0.3'), ('lr = 0.3', None), ('lr = <object>', None)])
def test_changed_settings_are_named_and_unreadable_ones_passed_over(text, said, monkeypatch):
    messages = []
    monkeypatch.setattr(check_weights_hook, 'print_log', lambda message, **_: messages.append(message))
    model = nn.Linear(1, 1)
    runner = SimpleNamespace(model=model, cfg=Config(dict(lr=0.3)), _resume=True, _load_from='epoch_1.pth')
    checkpoint = dict(state_dict=model.state_dict(), meta=dict(cfg=text))
    CheckWeightsHook().after_load_checkpoint(runner, checkpoint)
    assert [said in message for message in messages] == [True] * bool(said)
