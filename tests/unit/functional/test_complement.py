import math

import pytest
import torch
from torch.testing import assert_close

from mmpod.functional import complement_entropy


def entropy_by_loops(logits, label):
    """Eq. 5 for one sample, as printed."""
    exps = [math.exp(logit) for logit in logits]
    y = [value / sum(exps) for value in exps]
    return -sum(y[j] / (1 - y[label]) * math.log(y[j] / (1 - y[label])) for j in range(len(y)) if j != label)


@pytest.mark.parametrize('num_classes', [2, 3, 7])
def test_complement_entropy_is_eq_5(num_classes):
    logits, labels = torch.randn(6, num_classes, dtype=torch.float64), torch.randint(num_classes, (6,))
    expected = [entropy_by_loops(row, label) for row, label in zip(logits.tolist(), labels.tolist())]
    # the two constants of the released code, 1e-7 and 1e-10, are not in Eq. 5
    assert_close(complement_entropy(logits, labels), torch.tensor(expected).double(), rtol=1e-5, atol=1e-5)


def test_the_released_constants():
    """With 1 - y_g = 1e-7 the first constant halves the shares: q = 1/4 each for two wrong classes."""
    gap = math.log(2 / 1e-7 - 2)
    measured = complement_entropy(torch.tensor([[gap, 0.0, 0.0]], dtype=torch.float64), torch.tensor([0]))
    assert_close(measured.item(), 2 * 0.25 * math.log(4), rtol=1e-3, atol=0)


def test_gradients():
    logits, labels = torch.randn(4, 5, dtype=torch.float64, requires_grad=True), torch.randint(5, (4,))
    assert torch.autograd.gradcheck(lambda x: complement_entropy(x, labels).mean(), logits)
