"""The part of the new head that the old one does not have: a projection to D dimensions, its norm, and centroids."""

from typing import Optional

from mmpod.functional.centroids import MAX_SEED
from mmpod.utils.checks import check_integer

__all__ = ['NORMS', 'default_feat_dim', 'projection_settings']

# The batch norm is the recommended one; it has no shift, which would move all features to one side of the centroids.
NORMS: dict[str, dict] = dict(bn=dict(type='BN1d', affine=False), ln=dict(type='LN'))


def default_feat_dim(num_classes: int) -> int:
    """Return D for K classes: the smallest power of two of at least 2 K, from 256 to 2048, or K - 1 if that is more.

    These are the dimensions of Table II of arXiv 2111.15449 v1, except at K = 100, where it has 512.

    Example:
        >>> [default_feat_dim(k) for k in (10, 30, 100, 200, 500, 1000, 5000)]
        [256, 256, 256, 512, 1024, 2048, 4999]
    """
    power = 1 << (2 * num_classes - 1).bit_length()
    return max(min(max(power, 256), 2048), num_classes - 1)


def projection_settings(
    num_classes: int, feat_dim: Optional[int], seed: int, centroids: str, norm: Optional[str]
) -> dict:
    """Return the settings of a ``PEDCCHead`` that describe its projection and its centroids, as in ``convert``."""
    if feat_dim is None:
        feat_dim = default_feat_dim(num_classes)
    # A line has only two directions.
    check_integer('feat_dim', feat_dim, 2 if centroids == 'spread' and num_classes > 2 else 1)
    check_integer('seed', seed, 0, MAX_SEED)
    if centroids == 'pedcc' and num_classes > feat_dim + 1:
        raise ValueError(
            f'Expected `feat_dim` to be at least num_classes - 1 = {num_classes - 1}, but got {feat_dim}: a regular '
            f'simplex in {feat_dim} dimensions has at most {feat_dim + 1} vertices. Leave feat_dim out, or use the '
            "most even arrangement, centroids='spread'."
        )
    return dict(
        feat_dim=feat_dim,
        seed=seed,
        **(dict(centroids=centroids) if centroids != 'pedcc' else {}),
        **(dict(norm_cfg=dict(NORMS[norm])) if norm is not None else {}),
    )
