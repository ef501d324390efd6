"""Pure maths on tensors: no registry, no configuration, no state."""

from .centers import center_loss, center_steps, class_weights
from .centroids import pedcc
from .complement import complement_entropy
from .decorrelation import barlow_twins_loss, self_correlation_loss, vicreg_covariance_loss
from .distributed import gather_rows, global_mean, global_sum, mean_of_rows, row_counts
from .margins import (
    additive_margin_logits,
    annealed_weight,
    monotone_cos_multiple,
    multiplicative_margin_logits,
)
from .numerics import at_least_float32, no_autocast, normalize_rows
from .pod import class_residuals, cosine_loss, cosine_scores, norm_adaptive
from .spread import largest_cosine, smallest_largest_cosine, spread_centroids

__all__ = [
    'additive_margin_logits',
    'annealed_weight',
    'at_least_float32',
    'barlow_twins_loss',
    'center_loss',
    'center_steps',
    'class_residuals',
    'class_weights',
    'complement_entropy',
    'cosine_loss',
    'cosine_scores',
    'gather_rows',
    'global_mean',
    'global_sum',
    'largest_cosine',
    'mean_of_rows',
    'monotone_cos_multiple',
    'multiplicative_margin_logits',
    'no_autocast',
    'norm_adaptive',
    'normalize_rows',
    'pedcc',
    'row_counts',
    'self_correlation_loss',
    'smallest_largest_cosine',
    'spread_centroids',
    'vicreg_covariance_loss',
]
