"""The file of a fitted model: a NumPy archive of plain arrays, which loading can execute nothing from."""

import json
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch

from mmpod.functional.moments import ClassMoments

from .fitting import Fit

__all__ = ['read_model', 'write_model']

FORMAT = 'mmpod.GaussianDiscriminantAnalysis 1'
SETTINGS = {'covariance', 'shrinkage', 'priors', 'unbiased'}
# name: the axes of the array, for 'class' and for 'shared'
ARRAYS = {
    'counts': ('K', 'K'),
    'means': ('KD', 'KD'),
    'scatter': ('KDD', 'DD'),
    'third': ('KD', None),
    'fourth': ('K', None),
    'log_priors': ('K', 'K'),
    'shrinkage': ('K', ''),
    'pivots': ('KD', 'D'),
    'fallback': ('F', 'F'),
}


def write_model(path: Path, settings: dict[str, Any], moments: ClassMoments, fit: Fit, notes: dict) -> None:
    """Write settings, moments (with the factors in the scatter), fit and notes; a file of that name is replaced."""
    arrays = {**moments._asdict(), **fit._asdict()}
    arrays = {name: array.cpu().numpy() for name, array in arrays.items() if array is not None}
    header = json.dumps(dict(format=FORMAT, settings=settings, notes=notes))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + '.new')
    with temporary.open('wb') as file:
        np.savez(file, header=np.array(header), **arrays)
    temporary.replace(path)


def read_model(path: Path) -> tuple[dict[str, Any], ClassMoments, Fit, dict]:
    """Return settings, moments, fit and notes.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no such model, or its arrays do not fit each other.
    """
    if not path.is_file():
        raise FileNotFoundError(f'Expected a saved model in `{path.absolute()}`, but there is no such file.')
    try:
        with np.load(path, allow_pickle=False) as archive:
            header = json.loads(str(archive['header']))
            known = header['format'] == FORMAT and header['settings'].keys() == SETTINGS
            notes = dict(header['notes'])
            arrays = {name: archive[name] for name in archive.files if name in ARRAYS}
    except Exception as error:  # NumPy, zipfile, zlib and json have many kinds of it for a damaged file
        raise ValueError(
            f'Expected `{path}` to be written by GaussianDiscriminantAnalysis.save, but {error}.'
        ) from error
    if not known:
        raise ValueError(f'Expected `{path}` to be of the format {FORMAT!r}, but got {header.get("format")!r}.')
    by_class = header['settings']['covariance'] == 'class'
    expected = {name: axes[not by_class] for name, axes in ARRAYS.items() if axes[not by_class] is not None}
    _check_arrays(path, arrays, expected)
    _check_values(path, arrays, header['settings']['priors'])
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    moments = ClassMoments(*(tensors.get(name) for name in ClassMoments._fields))
    return header['settings'], moments, Fit(*(tensors[name] for name in Fit._fields)), notes


def _check_arrays(path: Path, arrays: dict[str, np.ndarray], expected: dict[str, str]) -> None:
    if arrays.keys() != expected.keys():
        wrong = sorted(arrays.keys() ^ expected.keys())
        raise ValueError(
            f'Expected `{path}` to hold the arrays {sorted(expected)}, but {wrong} are missing or unknown.'
        )
    sizes: dict[str, int] = {}
    for name, axes in expected.items():
        array, dtype = arrays[name], np.int64 if name == 'fallback' else np.float64
        fits = array.dtype == dtype and array.ndim == len(axes)
        fits = fits and all(sizes.setdefault(axis, size) == size for axis, size in zip(axes, array.shape))
        if not fits:
            raise ValueError(
                f'Expected `{name}` in `{path}` to be {np.dtype(dtype)} of the axes {tuple(axes)} with {sizes}, but '
                f'got {array.dtype} of shape {array.shape}.'
            )
        # Minus infinity is the log prior of a class without samples.
        if np.isnan(array).any() or (name != 'log_priors' and not np.isfinite(array).all()):
            raise ValueError(f'Expected finite numbers in `{name}` of `{path}`, but got others: the file is damaged.')


def _check_values(path: Path, arrays: dict[str, np.ndarray], priors: Optional[list[float]]) -> None:
    counts, shrinkage, fallback = arrays['counts'], arrays['shrinkage'], arrays['fallback']
    for rule, holds in {
        '`pivots` above 0': (arrays['pivots'] > 0).all(),
        '`counts` of at least 0': (counts >= 0).all(),
        '`log_priors` of probabilities that add up to 1': abs(np.exp(arrays['log_priors']).sum() - 1) <= 1e-5,
        '`shrinkage` in [0, 1]': ((shrinkage >= 0) & (shrinkage <= 1)).all(),
        f'`fallback` in [0, {len(counts)})': ((fallback >= 0) & (fallback < len(counts))).all(),
        f'{len(counts)} `priors` or none': priors is None or len(priors) == len(counts),
    }.items():
        if not holds:
            raise ValueError(f'Expected {rule} in `{path}`, but got others: the file is damaged. Fit again.')
