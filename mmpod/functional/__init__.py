"""Pure maths on tensors: no registry, no configuration, no state."""

from .centroids import pedcc
from .distributed import gather_rows, global_mean
from .numerics import at_least_float32, no_autocast, normalize_rows
from .pod import class_residuals, cosine_loss, cosine_scores, self_correlation_loss

__all__ = [
    'at_least_float32',
    'class_residuals',
    'cosine_loss',
    'cosine_scores',
    'gather_rows',
    'global_mean',
    'no_autocast',
    'normalize_rows',
    'pedcc',
    'self_correlation_loss',
]
