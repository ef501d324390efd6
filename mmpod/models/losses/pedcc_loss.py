"""PEDCC-Loss, Eq. 6-8 of arXiv 2111.15449 v1 (Zhu et al., arXiv 1904.06008)."""

from typing import Any

from torch import Tensor

from mmpod.functional import class_residuals, normalize_rows
from mmpod.registry import MODELS
from mmpod.utils.checks import check_number

from .am_softmax_loss import AMSoftmaxLoss

__all__ = ['PEDCCLoss']


@MODELS.register_module()
class PEDCCLoss(AMSoftmaxLoss):
    r"""AM-Softmax on predefined centroids, plus the distance to the centroid of the true class.

    .. math:: L = L_{AM} + \lambda \sqrt[n]{\tfrac{1}{2N}\sum_i \|x_i - p_{y_i}\|^2}

    Args:
        scale: s of Eq. 6, above 0.
        margin: m of Eq. 6, in units of the cosine, from 0 to 2.
        mse_weight: Lambda of Eq. 8, at least 0. The paper gives no value.
        root: n of Eq. 8, at least 1. The paper gives no value. The root is taken of the mean over the batch, clamped to
            at least 1e-12.
        kwargs: Passed to :class:`PrototypeLoss`.
    """

    def __init__(
        self, scale: float = 10.0, margin: float = 0.5, mse_weight: float = 1.0, root: float = 1.0, **kwargs: Any
    ):
        super().__init__(scale, margin, **kwargs)
        check_number('mse_weight', mse_weight, 0)
        check_number('root', root, 1)
        self.mse_weight = mse_weight
        self.root = root

    @property
    def batch_statistics(self) -> bool:
        """Whether a root is taken of the mean over the batch."""
        return self.mse_weight > 0 and self.root > 1

    def terms(self, features: Tensor, labels: Tensor, prototypes: Tensor) -> dict[str, Tensor]:
        """Return ``loss_amsoftmax``, Eq. 6, and, unless ``mse_weight`` is 0, ``loss_mse``, the root of Eq. 7."""
        terms = super().terms(features, labels, prototypes)
        if self.mse_weight > 0:
            residuals = class_residuals(normalize_rows(features), labels, normalize_rows(prototypes))
            squares = residuals.square().sum(dim=1) / 2
            if self.root == 1:
                mse = self.mean(squares)
            else:
                # Not self.mean: the root needs the mean itself, not this process's share of it.
                mse = self.batch(squares).mean(squares).clamp_min(1e-12) ** (1 / self.root)
            terms['loss_mse'] = self.mse_weight * mse
        return terms
