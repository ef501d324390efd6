"""How well a score tells samples of known classes from samples of unknown ones; larger means more likely known."""

import torch
from torch import Tensor

__all__ = ['auroc', 'false_positive_rate']


def auroc(known: Tensor, unknown: Tensor) -> Tensor:
    """Return the probability that a known sample scores above an unknown one, ties counting half (area under the ROC).

    Args:
        known: Scores, shape (N,).
        unknown: Scores, shape (M,).

    Example:
        >>> auroc(torch.tensor([2., 3.]), torch.tensor([1., 2.]))
        tensor(0.8750, dtype=torch.float64)
    """
    below = torch.sort(unknown).values
    wins = torch.searchsorted(below, known.contiguous()) + torch.searchsorted(below, known.contiguous(), right=True)
    return wins.double().mean() / (2 * len(unknown))


def false_positive_rate(known: Tensor, unknown: Tensor, true_positive_rate: float = 0.95) -> Tensor:
    """Return the share of unknown samples that pass the highest threshold which enough known samples pass.

    Args:
        known: Scores, shape (N,).
        unknown: Scores, shape (M,).
        true_positive_rate: Share of the known samples that must reach the threshold, in (0, 1].

    Example:
        >>> false_positive_rate(torch.arange(100.), torch.tensor([4., 5., 6., 7.]))
        tensor(0.7500, dtype=torch.float64)
    """
    needed = int(-(-len(known) * true_positive_rate // 1))  # rounded up
    threshold = torch.sort(known, descending=True).values[max(needed, 1) - 1]
    return (unknown >= threshold).double().mean()
