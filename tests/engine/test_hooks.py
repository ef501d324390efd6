from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmpod.engine import PlainCheckpointHook, StopOnInvalidLossHook


def test_history_survives_the_safe_loader(tmp_path):
    buffer = HistoryBuffer([0.5, 0.25], [2, 3], max_length=7)
    info = dict(eta=np.float64(1.5), cfg='text', epoch=3)
    checkpoint = dict(message_hub=dict(log_scalars={'train/loss': buffer}, runtime_info=info))
    hook = PlainCheckpointHook()
    hook.before_save_checkpoint(None, checkpoint)
    torch.save(checkpoint, tmp_path / 'checkpoint.pth')
    loaded = torch.load(tmp_path / 'checkpoint.pth', weights_only=True)
    hook.after_load_checkpoint(None, loaded)
    assert loaded['message_hub']['runtime_info'] == dict(eta=1.5, cfg='text', epoch=3)
    restored = loaded['message_hub']['log_scalars']['train/loss']
    assert [part.tolist() for part in restored.data] == [[0.5, 0.25], [2, 3]] and restored.max_length == 7
    restored.update(1.0)
    assert restored.current() == 1.0 and restored.max() == 1.0


def test_weights_alone_load_too():
    checkpoint = dict(state_dict={})
    PlainCheckpointHook().after_load_checkpoint(None, checkpoint)
    assert checkpoint == dict(state_dict={})


def runner_at(iteration):
    return SimpleNamespace(iter=iteration, epoch=0, train_dataloader=range(7))


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_invalid_loss_stops_at_the_interval_and_at_the_end_of_the_epoch(value):
    hook, outputs = StopOnInvalidLossHook(interval=3), dict(loss=torch.tensor(value))
    for index in range(7):
        if index in (2, 5, 6):
            with pytest.raises(FloatingPointError, match=f'iteration {index + 1}.*learning rate'):
                hook.after_train_iter(runner_at(index), index, outputs=outputs)
        else:
            hook.after_train_iter(runner_at(index), index, outputs=outputs)
        hook.after_train_iter(runner_at(index), index, outputs=dict(loss=torch.tensor(1.0)))


def test_bad_interval():
    with pytest.raises(ValueError, match='interval'):
        StopOnInvalidLossHook(interval=0)
