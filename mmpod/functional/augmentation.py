"""Crops and flips of a whole batch of images at once, on any device."""

import torch
from torch import Tensor

__all__ = ['crop_and_flip']


def crop_and_flip(images: Tensor, tops: Tensor, lefts: Tensor, flips: Tensor, padding: int) -> Tensor:
    """Return each image padded with zeros, cut back to its size at an offset, and mirrored where asked for.

    With offsets uniform over 0 to 2 ``padding`` and flips of probability 1/2 it is mmpretrain's ``RandomCrop`` with
    that padding and ``RandomFlip``, for all images in one indexing.

    Args:
        images: Shape (N, C, H, W), any dtype.
        tops, lefts: Shape (N,), integers in [0, 2 ``padding``]: where the crop begins in the padded image.
        flips: Shape (N,), bool: mirror left and right.
        padding: Pixels on each side, at least 0.

    Returns:
        Tensor: Shape (N, C, H, W), in the memory format ``channels_last``.

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
    # Indices on both sides of a slice put the channels last.
    return padded[samples[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
