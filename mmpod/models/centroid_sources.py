"""Where the centroids of a head come from: the simplex, the even spread for more classes, or a file."""

import fcntl
import os
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from mmpod.functional import max_cosine, max_cosine_lower_bound, pedcc, spread_centroids
from mmpod.utils.checks import check_choice

from .centroid_file import read_centroids

__all__ = ['build_centroids']


def build_centroids(source: str, num_classes: int, feat_dim: int, seed: int) -> Tensor:
    """Return the centroids that ``source`` names, and log how even they are where they are no simplex.

    Args:
        source: ``'pedcc'``, ``'spread'``, or the path of a ``.pkl`` file, see :func:`read_centroids`.
        num_classes: K.
        feat_dim: D.
        seed: Chooses the rotation, or the start of the numerical spread; a file has none.

    Returns:
        Tensor: Shape (K, D), float64.

    Raises:
        FileNotFoundError: There is no such file.
        TypeError: An argument has a wrong type.
        ValueError: The source has no such centroids.
    """
    if source == 'pedcc':
        return pedcc(num_classes, feat_dim, seed)
    if isinstance(source, (str, os.PathLike)) and Path(source).suffix == '.pkl':
        centroids = read_centroids(source, num_classes, feat_dim)
    else:
        check_choice('centroids', source, ['pedcc', 'spread', 'FILE.pkl'])
        centroids = _spread(num_classes, feat_dim, seed)
    print_log(
        f'{num_classes} centroids in {feat_dim} dimensions ({source}): largest cosine {max_cosine(centroids):.4f}; '
        f'no arrangement has one below {max_cosine_lower_bound(num_classes, feat_dim):.4f}.',
        logger='current',
    )
    return centroids


def _spread(num_classes: int, feat_dim: int, seed: int) -> Tensor:
    """Return :func:`spread_centroids`, from a file where it was computed before."""
    if num_classes <= 2 * feat_dim:
        return spread_centroids(num_classes, feat_dim, seed)
    folder = Path(os.environ.get('MMPOD_CACHE') or Path.home() / '.cache/mmpod')
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f'spread_{num_classes}_{feat_dim}_{seed}.npy'
    # One process of a machine computes, the others wait and read.
    with (folder / 'lock').open('a') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_file():
            print_log(f'Spreading {num_classes} centroids in {feat_dim} dimensions, once:', logger='current')
            centroids = spread_centroids(num_classes, feat_dim, seed, progress=_log_progress)
            temporary = path.with_suffix('.new')
            with temporary.open('wb') as file:
                np.save(file, centroids.numpy())
            temporary.replace(path)
    return torch.from_numpy(np.load(path, allow_pickle=False))


def _log_progress(step: int, smallest: float) -> None:
    print_log(f'step {step}: largest cosine {smallest:.4f}', logger='current')
