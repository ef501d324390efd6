from collections import Counter, OrderedDict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from mmengine.optim import OptimWrapper, OptimWrapperDict

from mmpod.engine import CheckInvalidLossHook, PlainCheckpointHook, ResetMomentumHook


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


@pytest.mark.parametrize('several', [False, True])
def test_milestones_are_plain(several):
    """PyTorch 2.1 to 2.3 refuse the `Counter` that MultiStepLR saves."""
    states = [dict(milestones=Counter([9, 13]), last_step=3)]
    schedulers = dict(primary=states, complement=[dict(milestones=Counter([2]))]) if several else states
    hub = dict(log_scalars={}, runtime_info={})
    checkpoint = dict(message_hub=hub, param_schedulers=schedulers)
    PlainCheckpointHook().before_save_checkpoint(None, checkpoint)
    saved = checkpoint['param_schedulers']
    first = (saved['primary'] if several else saved)[0]
    assert type(first['milestones']) is dict and first == dict(milestones={9: 1, 13: 1}, last_step=3)
    assert not several or type(saved['complement'][0]['milestones']) is dict


def test_numpy_values_are_plain_at_any_depth(tmp_path):
    """As metrics, ReduceOnPlateauLR and the metainfo of a dataset bring them; other types stay what they are."""
    half, values = np.float64(0.5), np.array([0.25, 0.5])
    best, other = torch.tensor(2.0), OrderedDict(a=1)
    checkpoint = dict(
        message_hub=dict(log_scalars={}, runtime_info=dict(array=values, list=[half], tuple=(half, 'x'), other=other)),
        param_schedulers=[dict(best=half, last_step=3)],
        meta=dict(dataset_meta=ConfigDict(palette=[dict(rgb=values)], ids={np.int64(7): np.int64(3)}), best=best),
    )
    PlainCheckpointHook().before_save_checkpoint(None, checkpoint)
    torch.save(checkpoint, tmp_path / 'checkpoint.pth')
    loaded = torch.load(tmp_path / 'checkpoint.pth', weights_only=True)
    info = dict(array=[0.25, 0.5], list=[0.5], tuple=(0.5, 'x'), other=OrderedDict(a=1))
    assert loaded['message_hub'] == dict(log_scalars={}, runtime_info=info)
    assert type(loaded['message_hub']['runtime_info']['other']) is OrderedDict
    assert loaded['param_schedulers'] == [dict(best=0.5, last_step=3)]
    meta = dict(dataset_meta=dict(palette=[dict(rgb=[0.25, 0.5])], ids={7: 3}), best=best)
    assert loaded['meta'] == meta and type(loaded['meta']['dataset_meta']) is dict


def test_weights_alone_load_too():
    checkpoint = dict(state_dict={})
    PlainCheckpointHook().after_load_checkpoint(None, checkpoint)
    assert checkpoint == dict(state_dict={})


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


@pytest.mark.parametrize('number', [1, 2])
def test_momentum_is_forgotten_at_the_milestones(number):
    optimizers = []
    for _ in range(number):
        weight = torch.nn.Parameter(torch.ones(2))
        weight.grad = torch.ones(2)
        optimizers.append(torch.optim.SGD([weight], lr=0.1, momentum=0.9))
        optimizers[-1].step()
    wrappers = {str(index): OptimWrapper(optimizer) for index, optimizer in enumerate(optimizers)}
    wrapper = OptimWrapperDict(**wrappers) if number > 1 else wrappers['0']
    hook = ResetMomentumHook([30, 60])
    for epoch, remembered in ((29, True), (30, False), (31, False)):
        hook.before_train_epoch(SimpleNamespace(epoch=epoch, optim_wrapper=wrapper))
        assert [bool(optimizer.state) for optimizer in optimizers] == [remembered] * number
    with pytest.raises(TypeError, match='epochs'):
        ResetMomentumHook(['30'])
