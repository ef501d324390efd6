"""Crops and flips of a whole batch of images in one operation, on any device."""

import torch
from torch import Tensor

__all__ = ['crop_and_flip']


def crop_and_flip(images: Tensor, tops: Tensor, lefts: Tensor, flips: Tensor, padding: int) -> Tensor:
    """Pad each image with zeros, crop it back to its size at an offset, and mirror it where ``flips`` is set.

    With offsets drawn uniformly from 0 to 2 ``padding`` and flips of probability 1/2, this is mmpretrain's
    ``RandomCrop`` with that padding followed by ``RandomFlip``, for all images in one indexing operation; the
    result, shape (N, C, H, W), is in the memory format ``channels_last``.

    Args:
        images: Shape (N, C, H, W), any dtype.
        tops, lefts: Shape (N,), integers in [0, 2 ``padding``]: where the crop begins in the padded image.
        flips: Shape (N,), bool: which images to mirror left to right.
        padding: Pixels on each side, at least 0.

    Example:
        >>> row = torch.tensor([[[[1, 2, 3]]]])
        >>> crop_and_flip(row, torch.tensor([1]), torch.tensor([0]), torch.tensor([True]), padding=1)
        tensor([[[[2, 1, 0]]]])
    """
    height, width = images.shape[2:]
    padded = torch.nn.functional.pad(images, [padding] * 4)
    rows = tops.unsqueeze(1) + torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device)
    columns = lefts.unsqueeze(1) + torch.where(flips.unsqueeze(1), width - 1 - columns, columns)
    samples = torch.arange(len(images), device=images.device)
    # Index tensors on both sides of a slice move the channels to the end.
    return padded[samples[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
