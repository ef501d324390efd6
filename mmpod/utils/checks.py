"""Argument checks with messages of one form: what was expected, what was given, what to do.

They raise a TypeError for a wrong type or dtype, and a ValueError for a value out of range or a wrong shape.
"""

import importlib.util
import math
from numbers import Integral, Real
from typing import Any, Optional, Sequence

import torch

__all__ = [
    'check_batch',
    'check_choice',
    'check_flag',
    'check_integer',
    'check_label_values',
    'check_labels',
    'check_number',
    'check_one_class',
    'check_packages',
]

PIP_NAMES = dict(sklearn='scikit-learn', umap='umap-learn')


def check_integer(name: str, value: Any, minimum: int, maximum: Optional[int] = None) -> None:
    """Refuse anything but an integer in ``[minimum, maximum]``; a bool is not one."""
    rule = f'an integer of at least {minimum}' if maximum is None else f'an integer from {minimum} to {maximum}'
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f'Expected `{name}` to be {rule}, but got {value!r} of type {type(value).__name__}.')
    if int(value) < minimum or (maximum is not None and int(value) > maximum):
        raise ValueError(f'Expected `{name}` to be {rule}, but got {value}.')


def check_number(name: str, value: Any, minimum: float, maximum: float = math.inf, above: bool = False) -> None:
    """Refuse anything but a finite real number in ``[minimum, maximum]``, excluding ``minimum`` if ``above``."""
    rule = f'a finite number {"above" if above else "of at least"} {minimum:g}'
    rule += f' and at most {maximum:g}' if maximum < math.inf else ''
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f'Expected `{name}` to be {rule}, but got {value!r} of type {type(value).__name__}.')
    if not math.isfinite(value) or not minimum <= float(value) <= maximum or (above and value == minimum):
        raise ValueError(f'Expected `{name}` to be {rule}, but got {value}.')


def check_choice(name: str, value: Any, choices: Sequence) -> None:
    """Refuse anything but one of ``choices``."""
    if value not in choices:
        raise ValueError(f'Expected `{name}` to be one of {", ".join(map(repr, choices))}, but got {value!r}.')


def check_flag(name: str, value: Any) -> None:
    """Refuse anything but True and False: a string such as 'no' would count as true."""
    if not isinstance(value, bool):
        raise TypeError(f'Expected `{name}` to be True or False, but got {value!r}.')


def check_batch(features: torch.Tensor, labels: torch.Tensor, centroids: torch.Tensor) -> None:
    """Refuse features (N, D), labels and centroids (K, D) whose shapes, dtypes or devices do not match."""
    if features.ndim != 2 or features.shape[0] == 0:
        raise ValueError(f'Expected `features` to be of shape (N, D) with N >= 1, but got {tuple(features.shape)}.')
    if not features.is_floating_point():
        raise TypeError(f'Expected `features` to be floating point, but got {features.dtype}: pass features.float().')
    if centroids.ndim != 2 or centroids.shape[1] != features.shape[1]:
        raise ValueError(
            f'Expected `centroids` to be of shape (K, D) with D = {features.shape[1]} as in `features`, '
            f'but got {tuple(centroids.shape)}.'
        )
    check_labels(labels, features.shape[0], centroids.shape[0])
    if not features.device == labels.device == centroids.device:
        raise ValueError(
            'Expected `features`, `labels` and `centroids` to be on one device, but got '
            f'{features.device}, {labels.device} and {centroids.device}: move them with .to({str(features.device)!r}).'
        )


def check_labels(labels: torch.Tensor, num_samples: int, num_classes: int) -> None:
    """Refuse labels that are neither integers (N,) nor soft labels (N, K); values are not checked."""
    if labels.is_floating_point():
        if labels.shape != (num_samples, num_classes):
            raise ValueError(
                f'Expected soft `labels` to be of shape (N, K) = ({num_samples}, {num_classes}), '
                f'but got {tuple(labels.shape)}.'
            )
        return
    if labels.dtype == torch.bool or labels.is_complex():
        raise TypeError(
            f'Expected `labels` to be integers (N,) or floating-point soft labels (N, K), but got {labels.dtype}.'
        )
    if labels.shape != (num_samples,):
        raise ValueError(
            f'Expected integer `labels` to be of shape (N,) = ({num_samples},), '
            f'but got {tuple(labels.shape)}; soft labels (N, K) must be floating point.'
        )


def check_label_values(labels: torch.Tensor, num_classes: int) -> None:
    """Refuse integer labels outside [0, K) and negative soft labels; on the CPU only.

    On an accelerator, reading the labels would stall every training step; there the indexing kernel's own assertion
    stops the program. Before training, ``CheckDataHook`` compares K with the dataset.
    """
    if labels.device.type != 'cpu':
        return
    lowest, highest = (extreme.item() for extreme in labels.aminmax())
    if labels.is_floating_point():
        if not lowest >= 0:
            raise ValueError(f'Expected soft `labels` to be at least 0, but got {lowest:g}.')
    elif lowest < 0 or highest >= num_classes:
        raise ValueError(
            f'Expected `labels` to lie in [0, {num_classes}), but got values from {lowest} to {highest}: '
            'check `num_classes` of the head against the dataset.'
        )


def check_one_class(labels: torch.Tensor, loss: str, alternative: str) -> None:
    """Refuse soft labels for a loss that is defined for one true class per sample."""
    if labels.is_floating_point():
        raise ValueError(
            f'Expected integer `labels` for {loss}, which needs one true class per sample, but got soft labels '
            f'(Mixup, CutMix or label smoothing). Leave these out, or use {alternative}.'
        )


def check_packages(what: str, *names: str) -> None:
    """Raise a ModuleNotFoundError if a package that only ``what``, a part of mmpod, needs cannot be imported."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise ModuleNotFoundError(
            f'Expected {" and ".join(missing)} for {what}, but found no such package. Install it: pip install '
            + ' '.join(PIP_NAMES.get(name, name) for name in missing)
        )
