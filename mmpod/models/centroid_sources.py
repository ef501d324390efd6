"""Build or load the centroids of a head: a simplex, an even spread for more classes, or a file."""

import hashlib
import logging
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch
from mmengine.dist import is_main_process
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
from mmpod.functional.spread import DESCENT_VERSION
from mmpod.utils.checks import check_choice
from mmpod.utils.files import replaced

from .centroid_file import read_centroids

__all__ = ['build_centroids', 'centroid_recipe', 'digest']


def build_centroids(
    source: str, num_classes: int, feat_dim: int, seed: int, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Return the centroids that ``source`` names, and log how evenly they are spread if they are not a simplex.

    Args:
        source: ``'pedcc'``, ``'spread'``, or the path of a ``.pkl`` file, see :func:`read_centroids`.
        num_classes: K.
        feat_dim: D.
        seed: Determines the rotation, or the start of the numerical spread; unused with a file.
        dtype: Data type of the result, which is exact or computed in float64.

    Returns:
        Tensor: Shape (K, D), unit rows up to the rounding of ``dtype``.

    Raises:
        FileNotFoundError: There is no such file.
        TypeError: An argument has a wrong type.
        ValueError: The source does not have such centroids.
    """
    if source == 'pedcc':
        return pedcc(num_classes, feat_dim, seed).to(dtype)
    if isinstance(source, (str, os.PathLike)) and Path(source).suffix == '.pkl':
        centroids = read_centroids(source, num_classes, feat_dim).to(dtype)
    else:
        check_choice('centroids', source, ['pedcc', 'spread', 'FILE.pkl'])
        centroids = _spread(num_classes, feat_dim, seed, dtype)
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

    Other tables are saved themselves and give None; see :func:`~mmpod.functional.spread_method`.
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


def _spread(num_classes: int, feat_dim: int, seed: int, dtype: torch.dtype) -> Tensor:
    """Return :func:`spread_centroids`; the result of a descent is cached in a file, only to save time."""
    if spread_method(num_classes, feat_dim) != 'descent':
        return spread_centroids(num_classes, feat_dim, seed, dtype=dtype)
    folder = os.environ.get('MMPOD_CACHE') or os.path.expanduser('~/.cache/mmpod')
    if folder.startswith('~'):  # there is no home folder
        folder = tempfile.gettempdir()
    path = Path(folder, f'spread_v{DESCENT_VERSION}_{num_classes}_{feat_dim}_{seed}.npy')
    with suppress(Exception):  # there is no such file, or it is damaged, for which NumPy raises many types
        cached = torch.from_numpy(np.load(path, allow_pickle=False))
        lengths = cached.norm(dim=1)
        if cached.shape == (num_classes, feat_dim) and torch.allclose(lengths, torch.ones_like(lengths)):
            return cached.to(dtype)
    print_log(f'Spreading {num_classes} centroids in {feat_dim} dimensions:', logger='current')
    centroids = spread_centroids(num_classes, feat_dim, seed, progress=_log_progress)
    try:
        if is_main_process():
            with replaced(path) as file:  # other runs may write it at the same time
                np.save(file, centroids.numpy())
    except OSError as error:
        print_log(
            f'The spread centroids are not kept for the next run: {error}. Set MMPOD_CACHE to a writable folder.',
            logger='current',
            level=logging.WARNING,
        )
    return centroids.to(dtype)


def _log_progress(step: int, smallest: float) -> None:
    print_log(f'step {step}: largest cosine {smallest:.4f}', logger='current')
