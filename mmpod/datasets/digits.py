"""The handwritten digits that ship with scikit-learn: real images that need no download."""

from typing import Any

import numpy as np
from mmpretrain.datasets import BaseDataset

from mmpod.registry import DATASETS
from mmpod.utils.checks import check_choice, check_packages

__all__ = ['SklearnDigits']


@DATASETS.register_module()
class SklearnDigits(BaseDataset):
    """1,797 gray images of 8 x 8 pixels in ten classes, from UCI's Optical Recognition of Handwritten Digits.

    The first 1,297 samples are the training set and the last 500 the test set. The file is ordered by writer, so most
    of the test digits are by writers who are not in the training set.

    Args:
        split: ``'train'`` or ``'test'``.
        kwargs: Passed to mmpretrain's ``BaseDataset``.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
        ValueError: ``split`` is invalid.
    """

    METAINFO = dict(classes=tuple('0123456789'))
    IMAGE_SIZE = (8, 8)
    CHANNEL_ORDER = 'bgr'  # all three are equal
    NUM_TRAIN = 1297

    def __init__(self, split: str = 'train', **kwargs: Any):
        check_choice('split', split, ['train', 'test'])
        self.split = split
        super().__init__(ann_file='', **kwargs)

    def load_data_list(self) -> list[dict]:
        """Return one dict per sample: ``img`` (8, 8, 3), uint8, and ``gt_label``."""
        check_packages('SklearnDigits', 'sklearn')
        from sklearn.datasets import load_digits

        digits = load_digits()
        part = slice(None, self.NUM_TRAIN) if self.split == 'train' else slice(self.NUM_TRAIN, None)
        gray = (digits.images[part] * (255 / 16)).round().astype(np.uint8)  # the file's gray levels are 0 to 16
        images = np.repeat(gray[..., None], 3, axis=-1)
        return [dict(img=image, gt_label=int(label)) for image, label in zip(images, digits.target[part])]
