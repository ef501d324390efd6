"""Complement entropy, which Complement Objective Training (COT) maximises; Eq. 5 of arXiv 2111.15449 v1."""

from torch import Tensor

from .numerics import at_least_float32

__all__ = ['complement_entropy']


def complement_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    r"""Return the entropy of the wrong classes of each sample, :math:`-\sum_{j \neq g} q_j \log q_j`.

    :math:`q_j = \hat y_j / (1 - \hat y_g)` with the softmax probabilities :math:`\hat y` and the true class g: how
    evenly the remaining probability is spread over the wrong classes. Its mean over the batch is Eq. 5. As in the code
    of COT's authors, 1e-7 is added to :math:`1 - \hat y_g` and 1e-10 to the argument of the logarithm, so that a sample
    predicted with certainty has zero entropy and zero gradient.

    Args:
        logits: Shape (N, K).
        labels: Shape (N,), integers in [0, K).

    Returns:
        Tensor: Shape (N,), in [0, log(K - 1)] up to 1e-10 K. Where the total probability of the wrong classes is as
            small as the added 1e-7, it can reach log(K - 1) + 1/e.

    Example:
        >>> import torch
        >>> complement_entropy(torch.zeros(1, 3), torch.tensor([0])).exp()
        tensor([2.0000])
    """
    wrong = at_least_float32(logits).softmax(dim=1).scatter(1, labels.unsqueeze(1), 0)
    shares = wrong / (wrong.sum(dim=1, keepdim=True) + 1e-7)
    return -(shares * (shares + 1e-10).log()).sum(dim=1)
