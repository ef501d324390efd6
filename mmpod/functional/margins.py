r"""Logits with a margin for the true class: L-Softmax, A-Softmax and AM-Softmax (Section II-A of arXiv 2111.15449 v1).

A margin makes the true class harder to reach in training. Each sample needs exactly one true class, so labels are
integers.
"""

import math

import torch
from torch import Tensor

from .numerics import row_lengths

__all__ = ['additive_margin_logits', 'monotone_cos_multiple', 'multiplicative_margin_logits']


def additive_margin_logits(cosines: Tensor, labels: Tensor, scale: float, margin: float) -> Tensor:
    r"""Return :math:`s (\cos\theta_j - m\,[j = y_i])`, shape (N, K), whose cross entropy is AM-Softmax (Eq. 3 and 6).

    Args:
        cosines: Shape (N, K).
        labels: Shape (N,), integers in [0, K).
        scale: s, above 0.
        margin: m, in units of the cosine.

    Example:
        >>> additive_margin_logits(torch.tensor([[0.5, -0.5]]), torch.tensor([0]), scale=10, margin=0.25)
        tensor([[ 2.5000, -5.0000]])
    """
    margins = cosines.new_full((len(cosines), 1), -scale * margin)
    return (scale * cosines).scatter_add(1, labels.unsqueeze(1), margins)


def monotone_cos_multiple(cosines: Tensor, margin: int) -> Tensor:
    r"""Return :math:`\psi(\theta) = (-1)^k \cos(m\theta) - 2k` for :math:`\theta \in [k\pi/m, (k+1)\pi/m]`.

    The continuation of :math:`\cos(m\theta)` that decreases monotonically from 1 at 0 to 1 - 2m at :math:`\pi` (Eq. 6
    of L-Softmax, arXiv 1612.02295). :math:`\cos(m\theta)` is the Chebyshev polynomial of :math:`\cos\theta`, and k
    counts how many of the :math:`\cos(j\pi/m)` lie above it. This avoids ``acos``, whose slope is infinite at both
    ends.

    Args:
        cosines: :math:`\cos\theta`, any shape.
        margin: m, an integer of at least 1.

    Returns:
        Tensor: Same shape, in [1 - 2m, 1].

    Example:
        >>> monotone_cos_multiple(torch.tensor([1.0, 0.0, -1.0]), margin=2)
        tensor([ 1., -1., -3.])
    """
    before, multiple = torch.ones_like(cosines), cosines
    for _ in range(margin - 1):
        before, multiple = multiple, 2 * cosines * multiple - before
    passed = torch.zeros_like(cosines)
    for j in range(1, margin):
        passed += cosines < math.cos(j * math.pi / margin)
    return (1 - 2 * (passed % 2)) * multiple - 2 * passed


def multiplicative_margin_logits(
    features: Tensor, labels: Tensor, prototypes: Tensor, margin: int, plain_weight: Tensor
) -> Tensor:
    r"""Return :math:`w_j \cdot x_i`, with the angle to the true class multiplied by m, shape (N, K).

    The true logit is :math:`\|w\|\|x\| (\lambda\cos\theta + \psi(\theta)) / (1 + \lambda)`. The cross entropy of these
    logits is L-Softmax; with unit rows in ``prototypes`` it is A-Softmax (arXiv 1704.08063). :math:`\psi` is
    :func:`monotone_cos_multiple`. As :math:`\lambda \to \infty` this becomes plain softmax.

    Args:
        features: x, shape (N, D), of any length.
        labels: Shape (N,), integers in [0, K).
        prototypes: w, shape (K, D), of any length.
        margin: m, an integer of at least 1; 1 is plain softmax.
        plain_weight: Lambda, scalar, at least 0.

    Example:
        >>> x, w = torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> multiplicative_margin_logits(x, torch.tensor([0]), w, margin=2, plain_weight=torch.tensor(0.0))
        tensor([[-2.,  2.]])
    """
    logits = features @ prototypes.T
    own = logits.gather(1, labels.unsqueeze(1))
    lengths = row_lengths(features) * row_lengths(prototypes).index_select(0, labels)
    cosine = own / torch.threshold(lengths, torch.finfo(own.dtype).tiny, 1)
    change = (lengths * monotone_cos_multiple(cosine, margin) - own) / (1 + plain_weight)
    return logits.scatter_add(1, labels.unsqueeze(1), change)
