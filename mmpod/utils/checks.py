"""Argument checks, all in one sentence form: what was expected, what came, what to do."""

import math
from numbers import Integral, Real
from typing import Any, Optional, Sequence

import torch

__all__ = ['check_choice', 'check_features', 'check_integer', 'check_labels', 'check_number', 'check_one_class']


def check_integer(name: str, value: Any, minimum: int, maximum: Optional[int] = None) -> None:
    """Refuse anything but an integer in ``[minimum, maximum]``.

    Raises:
        TypeError: ``value`` is no integer (a bool is none).
        ValueError: ``value`` is out of range.
    """
    rule = f'an integer of at least {minimum}' if maximum is None else f'an integer from {minimum} to {maximum}'
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f'Expected `{name}` to be {rule}, but got {value!r} of type {type(value).__name__}.')
    if value < minimum or (maximum is not None and value > maximum):
        raise ValueError(f'Expected `{name}` to be {rule}, but got {value}.')


def check_number(name: str, value: Any, minimum: float, maximum: float = math.inf, above: bool = False) -> None:
    """Refuse anything but a finite real number in ``[minimum, maximum]``, without ``minimum`` itself if ``above``.

    Raises:
        TypeError: ``value`` is no real number (a bool is none).
        ValueError: ``value`` is out of range, infinite or NaN.
    """
    rule = f'a finite number {"above" if above else "of at least"} {minimum:g}'
    rule += f' and at most {maximum:g}' if maximum < math.inf else ''
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f'Expected `{name}` to be {rule}, but got {value!r} of type {type(value).__name__}.')
    if not math.isfinite(value) or not minimum <= value <= maximum or (above and value == minimum):
        raise ValueError(f'Expected `{name}` to be {rule}, but got {value}.')


def check_choice(name: str, value: Any, choices: Sequence) -> None:
    """Refuse anything but one of ``choices``.

    Raises:
        ValueError: ``value`` is none of them.
    """
    if value not in choices:
        raise ValueError(f'Expected `{name}` to be one of {", ".join(map(repr, choices))}, but got {value!r}.')


def check_features(features: torch.Tensor, centroids: torch.Tensor) -> None:
    """Refuse features (N, D) and centroids (K, D) that do not fit each other.

    Raises:
        ValueError: Wrong number of axes, an empty batch, or different D.
    """
    if features.ndim != 2 or features.shape[0] == 0:
        raise ValueError(f'Expected `features` to be of shape (N, D) with N >= 1, but got {tuple(features.shape)}.')
    if centroids.ndim != 2 or centroids.shape[1] != features.shape[1]:
        raise ValueError(
            f'Expected `centroids` to be of shape (K, D) with D = {features.shape[1]} as in `features`, '
            f'but got {tuple(centroids.shape)}.'
        )


def check_labels(labels: torch.Tensor, num_samples: int, num_classes: int) -> None:
    """Refuse labels that are neither (N,) integers in [0, K) nor (N, K) class weights.

    The range is looked at where that is free, on the CPU. On an accelerator the look would stall every training step;
    there the indexing kernel's own assertion stops the program. Before training, ``CheckDataHook`` compares K with the
    dataset.

    Raises:
        TypeError: The dtype fits neither form.
        ValueError: Wrong shape, or a label out of range.
    """
    if labels.is_floating_point():
        if labels.shape != (num_samples, num_classes):
            raise ValueError(
                f'Expected soft `labels` to be of shape (N, K) = ({num_samples}, {num_classes}), '
                f'but got {tuple(labels.shape)}.'
            )
        if labels.device.type == 'cpu' and not labels.min() >= 0:
            raise ValueError(f'Expected soft `labels` to be class weights of at least 0, but got {labels.min():g}.')
        return
    if labels.dtype == torch.bool or labels.is_complex():
        raise TypeError(
            f'Expected `labels` to be integers (N,) or floating-point class weights (N, K), but got {labels.dtype}.'
        )
    if labels.shape != (num_samples,):
        raise ValueError(
            f'Expected integer `labels` to be of shape (N,) = ({num_samples},), '
            f'but got {tuple(labels.shape)}; soft labels (N, K) must be floating point.'
        )
    if labels.device.type != 'cpu':
        return
    lowest, highest = (int(extreme) for extreme in labels.aminmax())
    if lowest < 0 or highest >= num_classes:
        raise ValueError(
            f'Expected `labels` to lie in [0, {num_classes}), but got values from {lowest} to {highest}: '
            'check `num_classes` of the head against the dataset.'
        )


def check_one_class(labels: torch.Tensor, loss: str, alternative: str) -> None:
    """Refuse soft labels for a loss that is defined for one true class a sample.

    Raises:
        ValueError: ``labels`` are floating point, as from Mixup, CutMix or label smoothing.
    """
    if labels.is_floating_point():
        raise ValueError(
            f'Expected integer `labels` for {loss}, which treats one true class apart, but got class weights (Mixup, '
            f'CutMix or label smoothing). Leave the mixing out, or use {alternative}.'
        )
