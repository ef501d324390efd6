"""Scores for unknown classes, and how well they separate known from unknown samples; larger means more likely known."""

import math

import torch
from torch import Tensor

from mmpod.utils.checks import check_number

__all__ = ['auroc', 'false_positive_rate', 'max_probability_score']


def auroc(known: Tensor, unknown: Tensor) -> Tensor:
    """Return the probability that a known sample scores above an unknown one, ties counting half (area under the ROC).

    Args:
        known: Scores, shape (N,).
        unknown: Scores, shape (M,).

    Raises:
        ValueError: There are no scores, one is NaN, or they have another shape.

    Example:
        >>> auroc(torch.tensor([2., 3.]), torch.tensor([1., 2.]))
        tensor(0.8750, dtype=torch.float64)
    """
    _check_scores(known=known, unknown=unknown)
    below = torch.sort(unknown).values
    wins = torch.searchsorted(below, known.contiguous()) + torch.searchsorted(below, known.contiguous(), right=True)
    return wins.double().mean() / (2 * len(unknown))


def max_probability_score(logits: Tensor) -> Tensor:
    r"""Return the log-odds :math:`\log p/(1 - p)` of the largest softmax probability p, shape (N,).

    They rank samples as p does (Hendrycks and Gimpel, arXiv 1610.02136), but stay distinct where p rounds to 1.

    Args:
        logits: Shape (N, K), K at least 2.

    Example:
        >>> max_probability_score(torch.tensor([[0., 0.], [100., 0.]]))
        tensor([  0., 100.])
    """
    largest = logits.sort(dim=1, descending=True).values
    return largest[:, 0] - largest[:, 1:].logsumexp(dim=1)


def false_positive_rate(known: Tensor, unknown: Tensor, true_positive_rate: float = 0.95) -> Tensor:
    """Return the fraction of unknown samples at or above the highest threshold that enough known samples reach.

    Args:
        known: Scores, shape (N,).
        unknown: Scores, shape (M,).
        true_positive_rate: Fraction of the known samples that must reach the threshold, in (0, 1].

    Raises:
        ValueError: There are no scores, one is NaN, or an argument has another shape or range.

    Example:
        >>> false_positive_rate(torch.arange(100.), torch.tensor([4., 5., 6., 7.]))
        tensor(0.7500, dtype=torch.float64)
    """
    _check_scores(known=known, unknown=unknown)
    check_number('true_positive_rate', true_positive_rate, 0, 1, above=True)
    needed = math.ceil(len(known) * true_positive_rate - 1e-9)  # 55 of 100 for 0.55, which is slightly more in binary
    threshold = torch.sort(known, descending=True).values[max(needed, 1) - 1]
    return (unknown >= threshold).double().mean()


def _check_scores(**scores: Tensor) -> None:
    """Refuse NaN, which would sort as the largest score, and empty tensors; infinity is allowed."""
    for name, values in scores.items():
        if values.ndim != 1:
            raise ValueError(f'Expected `{name}` to be of shape (N,), but got {tuple(values.shape)}: flatten it.')
        number = int(values.isnan().sum())
        if number or len(values) == 0:
            got = f'{number} NaN' if number else 'none'
            raise ValueError(
                f'Expected `{name}` to hold at least one score and no NaN, but got {got}. Leave the samples out, or '
                'check the model that scored them.'
            )
