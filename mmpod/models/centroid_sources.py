"""Build or load the centroids of a head: a simplex, an even spread for more classes, or a file."""

import hashlib
import os
from pathlib import Path
from typing import Any, Optional

import torch
from mmengine.logging import print_log
from torch import Tensor

from mmpod.functional import (
    kerdock_dim,
    max_cosine,
    max_cosine_lower_bound,
    pedcc,
    spread_centroids,
    spread_method,
)
from mmpod.utils.checks import check_choice

from .centroid_file import read_centroids

__all__ = ['build_centroids', 'centroid_recipe', 'digest']


def build_centroids(source: str, num_classes: int, feat_dim: int, seed: int) -> Tensor:
    """Return the centroids that ``source`` names, and log how evenly they are spread if they are not a simplex.

    Args:
        source: ``'pedcc'``, ``'spread'``, or the path of a ``.pkl`` file, see :func:`read_centroids`.
        num_classes: K.
        feat_dim: D.
        seed: Determines the rotation, or the start of the numerical spread; unused with a file.

    Returns:
        Tensor: Shape (K, D), float32, unit rows; exact or computed in float64.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The source does not have such centroids.
    """
    if source == 'pedcc':
        return pedcc(num_classes, feat_dim, seed).float()
    if isinstance(source, (str, os.PathLike)) and Path(source).suffix == '.pkl':
        centroids = read_centroids(source, num_classes, feat_dim).float()
    else:
        check_choice('centroids', source, ['pedcc', 'spread', 'FILE.pkl'])
        centroids = spread_centroids(num_classes, feat_dim, seed, progress=_log_progress, dtype=torch.float32)
    closed = source == 'spread' and spread_method(num_classes, feat_dim).startswith('kerdock')
    largest = kerdock_dim(num_classes, feat_dim) ** -0.5 if closed else max_cosine(centroids)
    print_log(
        f'{num_classes} centroids in {feat_dim} dimensions ({source}): largest cosine {largest:.4f}; '
        f'no arrangement has one below {max_cosine_lower_bound(num_classes, feat_dim):.4f}.',
        logger='current',
    )
    return centroids


def centroid_recipe(source: str, num_classes: int, feat_dim: int, seed: int) -> Optional[dict[str, Any]]:
    """Return the parameters to save instead of a large table that can be rebuilt bit for bit on every machine.

    Other tables are saved as they are and give None; see :func:`~mmpod.functional.spread_method`.
    """
    if source != 'spread' or spread_method(num_classes, feat_dim) != 'kerdock table':
        return None
    return dict(centroids=source, num_classes=int(num_classes), feat_dim=int(feat_dim), seed=int(seed))


def digest(centroids: Tensor) -> str:
    """Return the SHA-256 of a table in float32, 1 to 3 seconds per GiB."""
    found = hashlib.sha256()
    for rows in centroids.split(2**16):
        found.update(rows.detach().cpu().numpy().astype('<f4', copy=False).data)
    return found.hexdigest()


def _log_progress(step: int, smallest: float) -> None:
    print_log(f'Spreading the centroids, step {step}: largest cosine {smallest:.4f}', logger='current')
