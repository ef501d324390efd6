from collections import Counter, OrderedDict

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from mmengine.registry import PARAM_SCHEDULERS

from mmpod.engine import PlainCheckpointHook

ARGUMENTS = dict(
    MultiStepLR=dict(milestones=[2]),
    StepLR=dict(step_size=1),
    ExponentialLR=dict(gamma=0.9),
    CosineAnnealingLR=dict(T_max=4),
    CosineRestartLR=dict(periods=[4], eta_min=0.0),
    OneCycleLR=dict(eta_max=0.1, total_steps=8),
    ReduceOnPlateauLR=dict(monitor='loss', rule='less'),
)


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


@pytest.mark.parametrize('kind', sorted(name for name in PARAM_SCHEDULERS.module_dict if name.endswith('LR')))
def test_every_schedule_is_plain_and_continues(kind, tmp_path):
    metrics = [dict(loss=1.0)] if kind == 'ReduceOnPlateauLR' else []

    def build():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1, momentum=0.9)
        return PARAM_SCHEDULERS.build(dict(type=kind, optimizer=optimizer, **ARGUMENTS.get(kind, {})))

    schedule, resumed = build(), build()
    schedule.step(*metrics)
    checkpoint = dict(message_hub=dict(log_scalars={}), param_schedulers=[schedule.state_dict()])
    PlainCheckpointHook().before_save_checkpoint(None, checkpoint)
    torch.save(checkpoint, tmp_path / 'checkpoint.pth')
    resumed.optimizer.load_state_dict(schedule.optimizer.state_dict())
    resumed.load_state_dict(torch.load(tmp_path / 'checkpoint.pth', weights_only=True)['param_schedulers'][0])
    for _ in range(3):
        schedule.step(*metrics)
        resumed.step(*metrics)
        assert resumed.optimizer.param_groups == schedule.optimizer.param_groups


def test_weights_alone_load_too():
    checkpoint = dict(state_dict={})
    PlainCheckpointHook().after_load_checkpoint(None, checkpoint)
    assert checkpoint == dict(state_dict={})
