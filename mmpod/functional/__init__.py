"""Pure functions of tensors, without registry, config or state."""

from .augmentation import crop_and_flip
from .batch import Batch
from .centers import center_loss, center_steps
from .centroids import pedcc
from .complement import complement_entropy
from .decorrelation import barlow_twins_loss, self_correlation_loss, vicreg_covariance_loss
from .few_shot import nearest_mean
from .gaussian import cholesky_factor, most_probable, squared_distances, whitening_factor
from .geometry import neural_collapse, target_and_nontarget_cosines
from .kerdock import kerdock_dim
from .margins import (
    additive_margin_logits,
    annealed_weight,
    monotone_cos_multiple,
    multiplicative_margin_logits,
)
from .moments import ClassMoments, accumulate_, class_moments, empty_moments, merge_moments
from .numerics import at_least_float32, no_autocast, normalize_rows, row_lengths
from .open_set import auroc, energy_score, false_positive_rate, max_probability_score
from .pod import class_residuals, cosine_loss, norm_adaptive, pod_loss
from .shrinkage import gaussian_shrinkage, ledoit_wolf_shrinkage, shrink
from .spread import max_cosine, max_cosine_lower_bound, spread_centroids, spread_method

__all__ = [
    'Batch',
    'ClassMoments',
    'accumulate_',
    'additive_margin_logits',
    'annealed_weight',
    'at_least_float32',
    'auroc',
    'barlow_twins_loss',
    'center_loss',
    'center_steps',
    'cholesky_factor',
    'class_residuals',
    'class_moments',
    'complement_entropy',
    'cosine_loss',
    'crop_and_flip',
    'empty_moments',
    'energy_score',
    'false_positive_rate',
    'max_probability_score',
    'gaussian_shrinkage',
    'kerdock_dim',
    'max_cosine',
    'ledoit_wolf_shrinkage',
    'merge_moments',
    'monotone_cos_multiple',
    'most_probable',
    'multiplicative_margin_logits',
    'nearest_mean',
    'neural_collapse',
    'no_autocast',
    'norm_adaptive',
    'normalize_rows',
    'target_and_nontarget_cosines',
    'pedcc',
    'pod_loss',
    'row_lengths',
    'self_correlation_loss',
    'shrink',
    'max_cosine_lower_bound',
    'spread_centroids',
    'spread_method',
    'squared_distances',
    'vicreg_covariance_loss',
    'whitening_factor',
]
