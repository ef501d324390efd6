"""The norm-adaptive cosine term of the authors' second version (2022), as a variant of POD Loss."""

import logging
from typing import Any, Optional

import torch
from mmengine.logging import print_log
from torch import Tensor

from mmpod.functional import norm_adaptive
from mmpod.functional.numerics import at_least_float32
from mmpod.registry import MODELS
from mmpod.utils.checks import check_number
from mmpod.utils.distributed import global_sum

from .pod_loss import PODLoss

__all__ = ['NormAdaptivePODLoss']


@MODELS.register_module()
class NormAdaptivePODLoss(PODLoss):
    r"""POD Loss with :math:`(1 - z_i \cdot p_{y_i} / \sqrt{\|z_i\|^2 + \delta^2})^2` in place of Eq. 13.

    Delta starts small and is set after each epoch to ``rate`` x (epochs trained) x (mean length of the features of the
    epoch just trained), by ``mmpod.NormAdaptiveHook``; without the hook it stays constant, and the first training step
    logs a warning. The SC term is unchanged.

    Args:
        initial_delta: Delta of the first epoch, above 0, in the units of z.
        rate: Growth of delta per epoch as a fraction of the mean length, at least 0; with 0 delta stays constant.
        kwargs: Passed to :class:`PODLoss`.

    Attributes:
        delta: Buffer, scalar: saved with the weights, the same in every process.
        length_sum, length_count: Buffers, scalars: the lengths seen by this process since delta was last set.
    """

    delta: Tensor
    length_sum: Tensor
    length_count: Tensor

    def __init__(self, initial_delta: float = 0.05, rate: float = 0.01, **kwargs: Any):
        super().__init__(**kwargs)
        check_number('initial_delta', initial_delta, torch.finfo(torch.float32).tiny)
        check_number('rate', rate, 0)
        self.initial_delta = initial_delta
        self.rate = rate
        self.scheduled = rate == 0  # whether delta is set after each epoch, or need not be
        self.register_buffer('delta', torch.tensor(float(initial_delta)))
        self.register_buffer('length_sum', torch.zeros(()))
        self.register_buffer('length_count', torch.zeros(()))

    def restart_schedule(self) -> None:
        """Begin with ``initial_delta`` again."""
        self.delta.fill_(self.initial_delta)
        self.length_sum.zero_()
        self.length_count.zero_()

    def terms(self, features: Tensor, labels: Tensor, prototypes: Tensor) -> dict[str, Tensor]:
        """Return the norm-adaptive term and the decorrelation term."""
        return self.separate_terms(features, self.smoothed(labels, prototypes), prototypes)

    def cosine_term(
        self, features: Tensor, unit: Tensor, labels: Tensor, centroids: Tensor, weight: Optional[Tensor]
    ) -> Tensor:
        """Return the norm-adaptive term from features and unit features (N, D); record the lengths when training."""
        if self.training:
            if not self.scheduled:
                self.scheduled = True  # one warning is enough
                message = (
                    f'NormAdaptivePODLoss has rate={self.rate:g}, but delta stays constant unless it is set after each '
                    "epoch: by custom_hooks=[dict(type='mmpod.NormAdaptiveHook')], or by `update_delta` in a loop of "
                    'your own. Set rate=0 if it is to stay constant.'
                )
                print_log(message, 'current', logging.WARNING)
            with torch.no_grad():
                # In float32 also in a module cast to half precision, whose sums would saturate.
                self.length_sum = at_least_float32(self.length_sum) + (features * unit).sum()
                self.length_count = at_least_float32(self.length_count) + len(features)
        return super().cosine_term(features, norm_adaptive(features, unit, self.delta), labels, centroids, weight)

    @torch.no_grad()
    def update_delta(self, epochs_trained: int) -> Optional[Tensor]:
        """Set delta from the lengths recorded in all processes, and reset them. A collective.

        Returns:
            Tensor: The mean length, scalar.
        """
        total, count = global_sum(torch.stack([self.length_sum, self.length_count]))
        mean = total / count.clamp_min(1)
        delta = self.rate * epochs_trained * mean
        # A delta of zero, from no batch, zero features or a zero rate, would divide a zero feature by zero.
        self.delta.copy_(torch.where(delta > 0, delta, self.delta))
        self.length_sum.zero_()
        self.length_count.zero_()
        return mean
