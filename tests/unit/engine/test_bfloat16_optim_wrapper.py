"""Mixed precision on the CPU."""

import torch
from mmengine.optim import build_optim_wrapper
from torch import nn
from torch.testing import assert_close

CONFIG = dict(type='mmpod.BFloat16OptimWrapper', optimizer=dict(type='SGD', lr=0.5))


def test_it_can_replace_mmengines_wrapper_by_its_type():
    """As with --amp, which sets a loss scale."""
    wrapper = build_optim_wrapper(nn.Linear(1, 1), dict(CONFIG, loss_scale='dynamic', dtype='bfloat16'))
    assert wrapper.optimizer.defaults['lr'] == 0.5


def test_products_are_in_bfloat16_and_weights_in_float32():
    """Of 1 + 2^-9 bfloat16 keeps 1; the step is the gradient's, which is the rounded image."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1 + 2**-9)
    wrapper = build_optim_wrapper(model, CONFIG)
    with wrapper.optim_context(model):
        output = model(torch.tensor([[3.0]]))
    assert output.dtype == torch.bfloat16 and output.item() == 3
    wrapper.update_params(output.float().sum())
    assert_close(model.weight.item(), 1 + 2**-9 - 0.5 * 3, rtol=0, atol=0)
