"""How a data preprocessor normalises images, read from the preprocessor itself or from its settings."""

from typing import Any

import torch

__all__ = ['normalisation']


def normalisation(preprocessor: Any) -> dict[str, Any]:
    """Return ``mean`` and ``std``, one number each if all channels share it, and ``to_rgb``: whether channels swap.

    Args:
        preprocessor: A data preprocessor of mmpretrain or MMEngine, or its settings.

    Raises:
        TypeError, ValueError: The settings are not numbers.

    Example:
        >>> normalisation(dict(mean=[127.5] * 3, std=[50, 60, 70.1], bgr_to_rgb=True))
        {'mean': [127.5], 'std': [50.0, 60.0, 70.1], 'to_rgb': True}
        >>> normalisation(dict(num_classes=10))
        {'mean': [0.0], 'std': [1.0], 'to_rgb': False}
    """

    def read(name: str) -> Any:
        return preprocessor.get(name) if isinstance(preprocessor, dict) else getattr(preprocessor, name, None)

    def numbers(name: str, default: float) -> list[float]:
        value = default if read(name) is None else read(name)
        rounded = torch.as_tensor(value, dtype=torch.float32).flatten().tolist()  # as a preprocessor stores them
        return [float(f'{number:.6g}') for number in rounded]

    swaps = map(read, ('to_rgb', 'bgr_to_rgb', 'rgb_to_bgr', '_channel_conversion'))  # the last: MMEngine's, once built
    mean, std = numbers('mean', 0.0), numbers('std', 1.0)
    gray = read('mean') is not None and len(mean) == 1  # one channel, which is not swapped
    mean, std = (found[:1] if len({*found}) == 1 else found for found in (mean, std))
    return dict(mean=mean, std=std, to_rgb=any(swaps) and not gray)
