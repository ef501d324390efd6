"""A-Softmax (SphereFace; Liu et al., arXiv 1704.08063), a baseline of arXiv 2111.15449 v1, Section II-A."""

from typing import Any

from torch import Tensor

from mmpod.functional import normalize_rows
from mmpod.registry import MODELS

from .lsoftmax_loss import LSoftmaxLoss

__all__ = ['ASoftmaxLoss']


@MODELS.register_module()
class ASoftmaxLoss(LSoftmaxLoss):
    r"""L-Softmax with class weights of unit length: the logits are :math:`\|x\|\cos\theta_j`.

    Args:
        margin: m, an integer of at least 1. The defaults are those of the original paper.
        base, gamma, power, lambda_min: The schedule of lambda, see :class:`LSoftmaxLoss`.
        kwargs: Passed to :class:`PrototypeLoss`.
    """

    NAME = 'loss_asoftmax'
    similarity = 'cosine'

    def __init__(
        self,
        margin: int = 4,
        base: float = 1000.0,
        gamma: float = 0.12,
        power: float = 1.0,
        lambda_min: float = 5.0,
        **kwargs: Any,
    ):
        super().__init__(margin, base, gamma, power, lambda_min, **kwargs)

    def terms(self, features: Tensor, labels: Tensor, prototypes: Tensor) -> dict[str, Tensor]:
        """Return ``loss_asoftmax``, the mean cross entropy over the batch; count the iteration when training."""
        return super().terms(features, labels, normalize_rows(prototypes))
