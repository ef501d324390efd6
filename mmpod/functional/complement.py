"""Complement entropy, what Complement Objective Training (COT) maximises; Eq. 5 of arXiv 2111.15449 v1."""

from torch import Tensor

__all__ = ['complement_entropy']


def complement_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    r"""Return the entropy of the wrong classes of each sample, :math:`-\sum_{j \neq g} q_j \log q_j`.

    :math:`q_j = \hat y_j / (1 - \hat y_g)` with the softmax probabilities :math:`\hat y` and the true class g: how
    evenly the probability that the true class leaves is spread over the others. Its mean over the batch is Eq. 5. As in
    the code of COT's authors, :math:`1 - \hat y_g` is raised by 1e-7 and the logarithm's argument by 1e-10, so that a
    sample that is certain has neither entropy nor gradient.

    Args:
        logits: Shape (N, K).
        labels: Shape (N,), integers in [0, K).

    Returns:
        Tensor: Shape (N,), in [0, log(K - 1)] up to 1e-10 K, but where the wrong classes have together a probability of
        the order of 1e-7, as little as what is added to it, up to log(K - 1) + 1/e.

    Example:
        >>> import torch
        >>> complement_entropy(torch.zeros(1, 3), torch.tensor([0])).exp()
        tensor([2.0000])
    """
    wrong = logits.softmax(dim=1).scatter(1, labels.unsqueeze(1), 0)
    shares = wrong / (wrong.sum(dim=1, keepdim=True) + 1e-7)
    return -(shares * (shares + 1e-10).log()).sum(dim=1)
