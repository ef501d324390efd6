"""Pure maths on tensors: no registry, no configuration, no state."""

from mmpod.utils.distributed import (
    check_each_sample_once,
    gather_rows,
    global_mean,
    global_sum,
    mean_of_rows,
    owned_by_rank,
    row_counts,
)

from .augmentation import crop_and_flip
from .centers import center_loss, center_steps, class_weights
from .centroids import pedcc
from .complement import complement_entropy
from .decorrelation import barlow_twins_loss, self_correlation_loss, vicreg_covariance_loss
from .gaussian import cholesky_factor, log_densities, most_probable, squared_distances, whitening_factor
from .geometry import neural_collapse, target_and_nontarget_cosines
from .margins import (
    additive_margin_logits,
    annealed_weight,
    monotone_cos_multiple,
    multiplicative_margin_logits,
)
from .moments import ClassMoments, accumulate_, class_moments, empty_moments, merge_moments
from .numerics import at_least_float32, no_autocast, normalize_rows
from .open_set import auroc, false_positive_rate
from .pod import class_residuals, cosine_loss, cosine_scores, norm_adaptive
from .shrinkage import gaussian_shrinkage, ledoit_wolf_shrinkage, shrink
from .smoothing import smooth_labels
from .spread import max_cosine, max_cosine_lower_bound, spread_centroids

__all__ = [
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
    'class_weights',
    'complement_entropy',
    'cosine_loss',
    'cosine_scores',
    'crop_and_flip',
    'owned_by_rank',
    'empty_moments',
    'false_positive_rate',
    'gather_rows',
    'gaussian_shrinkage',
    'global_mean',
    'global_sum',
    'max_cosine',
    'ledoit_wolf_shrinkage',
    'log_densities',
    'mean_of_rows',
    'merge_moments',
    'monotone_cos_multiple',
    'most_probable',
    'multiplicative_margin_logits',
    'neural_collapse',
    'no_autocast',
    'norm_adaptive',
    'normalize_rows',
    'target_and_nontarget_cosines',
    'pedcc',
    'check_each_sample_once',
    'row_counts',
    'self_correlation_loss',
    'shrink',
    'max_cosine_lower_bound',
    'smooth_labels',
    'spread_centroids',
    'squared_distances',
    'vicreg_covariance_loss',
    'whitening_factor',
]
