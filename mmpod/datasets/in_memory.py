"""Small images, decoded once and kept in memory."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from mmpretrain.structures import DataSample
from torch.utils.data import Dataset

from mmpod.registry import DATASETS

__all__ = ['InMemoryImages']


@DATASETS.register_module()
class InMemoryImages(Dataset):
    """A classification dataset whose images are decoded once, when it is built; each sample is a view of one array.

    Use it for images of one size that fit in memory (CIFAR: 150 MB), and augment them in batches, for example with
    ``mmpod.CropFlipPreprocessor``.

    Args:
        dataset: Config of the dataset. Its ``pipeline`` must return an image without packing it: ``[]`` if the samples
            are images (CIFAR), ``[dict(type='LoadImageFromFile')]`` if they are paths.
        whole_batches: Return a batch as one item, images (N, C, H, W) and one :class:`DataSample` with N labels, as
            ``mmpod.CropFlipPreprocessor`` accepts it. This is faster on a GPU, because copying many small tensors takes
            longer than a step of a small network. For training only, because a model returns one prediction per
            :class:`DataSample`.

    Raises:
        ValueError: The pipeline returns no image, the images differ in size, or they have no labels.
    """

    def __init__(self, dataset: dict, whole_batches: bool = False):
        source = DATASETS.build(dataset)
        results = [source[index] for index in range(len(source))]
        shapes = {np.shape(item['img']) if isinstance(item, dict) and 'img' in item else None for item in results}
        if len(shapes) != 1 or None in shapes or len(next(iter(shapes))) not in (2, 3):
            raise ValueError(
                'Expected the `pipeline` of the dataset in InMemoryImages to give images (H, W) or (H, W, C) of one '
                f'size, but got {sorted(map(str, shapes))}. Leave out packing and augmentation; resize to one size.'
            )
        if not all('gt_label' in item for item in results):
            raise ValueError(
                f'Expected images with labels for InMemoryImages, but those of {type(source).__name__} have none. '
                'Leave fast=True out.'
            )
        images = np.stack([np.atleast_3d(item['img']) for item in results]).transpose(0, 3, 1, 2)
        self.images = torch.from_numpy(np.ascontiguousarray(images))
        self.labels = torch.tensor([[item['gt_label']] for item in results])
        self.metainfo = copy.deepcopy(source.metainfo)
        self.folder_to_idx = getattr(source, 'folder_to_idx', None)
        self.whole_batches = whole_batches

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict:
        """Return ``inputs``, (C, H, W), a view that must not be written to, and ``data_samples``."""
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[dict]:
        """Return the samples of a batch; PyTorch's loader requests them together."""
        if self.whole_batches:
            chosen = torch.as_tensor(indices)
            sample = DataSample().set_gt_label(self.labels[chosen].flatten())
            return [dict(inputs=self.images[chosen], data_samples=sample)]
        return [
            dict(
                inputs=self.images[index],
                data_samples=DataSample(metainfo=dict(sample_idx=index)).set_gt_label(self.labels[index]),
            )
            for index in indices
        ]
