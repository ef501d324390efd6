"""Pure functions of tensors, without registry, config or state.

Where a docstring says "differentiable once", a second derivative is refused, and `torch.func` cannot transform it.
"""

from .augmentation import crop_and_flip
from .centers import center_loss, center_steps
from .centroids import pedcc
from .centroids_kerdock import kerdock_dim
from .centroids_spread import max_cosine, max_cosine_lower_bound, spread_centroids, spread_method
from .complement import complement_entropy
from .decorrelation import barlow_twins_loss, self_correlation_loss, vicreg_covariance_loss
from .few_shot import nearest_mean
from .geometry import neural_collapse, target_and_nontarget_cosines
from .margins import (
    additive_margin_logits,
    monotone_cos_multiple,
    multiplicative_margin_logits,
)
from .moments import class_moments
from .numerics import normalize_rows
from .open_set import auroc, false_positive_rate, max_probability_score
from .pod import class_residuals, cosine_loss, norm_adaptive, pod_loss
from .shrinkage import ledoit_wolf_shrinkage

__all__ = [
    'additive_margin_logits',
    'auroc',
    'barlow_twins_loss',
    'center_loss',
    'center_steps',
    'class_moments',
    'class_residuals',
    'complement_entropy',
    'cosine_loss',
    'crop_and_flip',
    'false_positive_rate',
    'max_probability_score',
    'kerdock_dim',
    'max_cosine',
    'ledoit_wolf_shrinkage',
    'monotone_cos_multiple',
    'multiplicative_margin_logits',
    'nearest_mean',
    'neural_collapse',
    'norm_adaptive',
    'normalize_rows',
    'target_and_nontarget_cosines',
    'pedcc',
    'pod_loss',
    'self_correlation_loss',
    'max_cosine_lower_bound',
    'spread_centroids',
    'spread_method',
    'vicreg_covariance_loss',
]
