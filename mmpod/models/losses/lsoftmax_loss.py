"""L-Softmax (Liu et al., arXiv 1612.02295), a baseline of arXiv 2111.15449 v1, Section II-A."""

from typing import Any

import torch
from torch import Tensor

from mmpod.functional import multiplicative_margin_logits
from mmpod.registry import MODELS
from mmpod.utils.checks import check_integer, check_number, check_one_class

from .prototype_loss import PrototypeLoss

__all__ = ['LSoftmaxLoss']


@MODELS.register_module()
class LSoftmaxLoss(PrototypeLoss):
    r"""Cross entropy with the angle to the true class's weight multiplied by m.

    The true logit is :math:`(\lambda f_0 + f_m)/(1+\lambda)` with :math:`f_0 = \|w\|\|x\|\cos\theta` and
    :math:`f_m = \|w\|\|x\|\psi(\theta)`, see :func:`~mmpod.functional.multiplicative_margin_logits`. As in
    the authors' Caffe layer, :math:`\lambda = \max(\lambda_{min}, base\,(1 + \gamma\,it)^{-power})` decreases with the
    iterations: training starts as softmax and ends with the margin. The defaults are those of the original paper for
    CIFAR-10 without augmentation.

    Args:
        margin: m, an integer of at least 1; 1 is plain softmax, which also accepts soft labels.
        base: Lambda of the first iteration, at least 0.
        gamma: Speed of lambda's decay per iteration, at least 0.
        power: Exponent of lambda's decay, at least 0.
        lambda_min: Lower bound of lambda, at least 0.
        kwargs: Passed to :class:`PrototypeLoss`.

    Attributes:
        iteration: Buffer, scalar, int64: number of batches trained on. It is saved with the weights and the same in
            every process; with gradient accumulation every batch counts.
    """

    NAME = 'loss_lsoftmax'
    similarity = 'dot'
    iteration: Tensor

    def __init__(
        self,
        margin: int = 2,
        base: float = 1000.0,
        gamma: float = 2e-5,
        power: float = 45.0,
        lambda_min: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_integer('margin', margin, 1)
        for name, value in dict(base=base, gamma=gamma, power=power, lambda_min=lambda_min).items():
            check_number(name, value, 0)
        self.margin = margin
        self.base = base
        self.gamma = gamma
        self.power = power
        self.lambda_min = lambda_min
        self.register_buffer('iteration', torch.zeros((), dtype=torch.int64))

    def restart_schedule(self) -> None:
        """Begin with lambda of the first iteration again."""
        self.iteration.zero_()

    def terms(self, features: Tensor, labels: Tensor, prototypes: Tensor) -> dict[str, Tensor]:
        """Return ``loss_lsoftmax``, the mean cross entropy over the batch; count the iteration when training."""
        if self.margin == 1:
            logits = features @ prototypes.T
        else:
            check_one_class(labels, type(self).__name__, '`margin=1`, or mmpod.PODLoss')
            weight = (self.base * (1.0 + self.gamma * self.iteration) ** -self.power).clamp_min(self.lambda_min)
            logits = multiplicative_margin_logits(features, labels, prototypes, self.margin, weight)
        if self.training:
            self.iteration = self.iteration + 1  # in place, torch.compile would take gradients at the next lambda
        return {self.NAME: self.mean_cross_entropy(logits, labels)}
