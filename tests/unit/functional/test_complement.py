import math

import torch
from torch.testing import assert_close

from mmpod.functional import complement_entropy


def test_the_released_constants():
    """With 1 - y_g = 1e-7 the first constant halves the shares: q = 1/4 each for two wrong classes."""
    gap = math.log(2 / 1e-7 - 2)
    measured = complement_entropy(torch.tensor([[gap, 0.0, 0.0]], dtype=torch.float64), torch.tensor([0]))
    assert_close(measured.item(), 2 * 0.25 * math.log(4), rtol=1e-3, atol=0)


def test_gradients():
    logits, labels = torch.randn(4, 5, dtype=torch.float64, requires_grad=True), torch.randint(5, (4,))
    assert torch.autograd.gradcheck(lambda x: complement_entropy(x, labels).mean(), logits)


def test_half_precision_is_computed_in_float32():
    logits = torch.tensor([[20.0, 0, -20]])
    assert_close(complement_entropy(logits.half(), torch.tensor([0])), complement_entropy(logits, torch.tensor([0])))
