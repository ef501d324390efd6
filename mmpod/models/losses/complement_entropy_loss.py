"""The complement objective of COT, Eq. 5 of arXiv 2111.15449 v1 (Chen et al., arXiv 1903.01182)."""

from torch import Tensor, nn

from mmpod.functional import complement_entropy
from mmpod.functional.numerics import at_least_float32, no_autocast
from mmpod.registry import MODELS
from mmpod.utils.checks import check_choice, check_integer, check_label_values, check_labels, check_one_class
from mmpod.utils.distributed import global_mean

__all__ = ['ComplementEntropyLoss']


@MODELS.register_module()
class ComplementEntropyLoss(nn.Module):
    r"""The negative complement entropy over K: minimising it spreads the probability of the wrong classes evenly.

    Args:
        normalizer: ``'K'``, by which the authors' released code divides, or ``'K-1'``, by which their paper does. It
            scales the gradient of the complement step.
        global_batch: Average over the batch of all processes instead of over each process's own part.
    """

    def __init__(self, normalizer: str = 'K', global_batch: bool = True):
        super().__init__()
        check_choice('normalizer', normalizer, ['K', 'K-1'])
        self.normalizer = normalizer
        self.global_batch = global_batch

    def forward(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Return ``loss_complement``, a scalar in [-log(K-1)/(K-1), 0].

        Args:
            logits: Shape (N, K), K at least 2.
            labels: Shape (N,), integers in [0, K).

        Raises:
            TypeError: The labels have a wrong dtype.
            ValueError: Logits of another shape, soft labels, labels out of range, or fewer than two classes.
        """
        if logits.ndim != 2:
            raise ValueError(f'Expected `logits` to be of shape (N, K), but got {tuple(logits.shape)}.')
        num_samples, num_classes = logits.shape
        check_integer('num_classes', num_classes, 2)
        check_labels(labels, num_samples, num_classes)
        check_label_values(labels, num_classes)
        check_one_class(labels, 'ComplementEntropyLoss', 'plain CrossEntropyLoss')
        with no_autocast(logits):
            entropy = complement_entropy(at_least_float32(logits), labels.long())
            mean = global_mean(entropy) if self.global_batch else entropy.mean()
        return {'loss_complement': -mean / (num_classes if self.normalizer == 'K' else num_classes - 1)}
