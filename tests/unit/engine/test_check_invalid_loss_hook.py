from types import SimpleNamespace

import pytest
import torch

from mmpod.engine import CheckInvalidLossHook


def runner_at(iteration):
    return SimpleNamespace(iter=iteration, epoch=0, train_dataloader=range(7))


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_invalid_loss_stops_at_the_interval_and_at_the_end_of_the_epoch(value):
    hook, outputs = CheckInvalidLossHook(interval=3), dict(loss=torch.tensor(value))
    for index in range(7):
        if index in (2, 5, 6):
            with pytest.raises(FloatingPointError, match=f'iteration {index + 1}.*learning rate'):
                hook.after_train_iter(runner_at(index), index, outputs=outputs)
        else:
            hook.after_train_iter(runner_at(index), index, outputs=outputs)
        hook.after_train_iter(runner_at(index), index, outputs=dict(loss=torch.tensor(1.0)))


def test_bad_interval():
    with pytest.raises(ValueError, match='interval'):
        CheckInvalidLossHook(interval=0)


def test_ruined_weights_are_not_saved():
    hook, weights = CheckInvalidLossHook(), torch.ones(3)
    checkpoint = dict(state_dict={'fc.weight': weights, 'count': torch.tensor(3)})
    hook.before_save_checkpoint(runner_at(5), checkpoint)
    weights[1] = float('inf')
    with pytest.raises(FloatingPointError, match='fc.weight.*iteration 6.*learning rate'):
        hook.before_save_checkpoint(runner_at(5), checkpoint)
