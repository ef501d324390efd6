from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict

from mmpod.engine import ResetMomentumHook


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
