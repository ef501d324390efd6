"""CIFAR-10 and CIFAR-100 from the official archives or from a folder of images."""

from pathlib import Path
from typing import Any, Optional, Sequence, Union

import numpy as np
from mmengine.dist import get_world_size
from mmpretrain.datasets import CIFAR10, CIFAR100

from mmpod.datasets.class_subset import ClassSubset
from mmpod.registry import DATASETS
from mmpod.utils.checks import check_choice

from .class_folders import load_class_folders

__all__ = ['CIFAR100AnyLayout', 'CIFAR10AnyLayout']


class AnyLayout:
    """Mixin for mmpretrain's CIFAR datasets: also reads image folders, and never downloads in a distributed run.

    It looks first for ``data_root/<split>/<class>/*.jpg`` (or another format), then for the official binary files, and
    with ``download`` it finally downloads them. Images are BGR, as from mmpretrain's ``LoadImageFromFile`` and unlike
    mmpretrain's CIFAR datasets: set ``to_rgb=True`` in ``data_preprocessor``.

    Args:
        data_root: Folder of the dataset.
        split: ``'train'`` or ``'test'``.
        samples_per_class, skip_per_class, label_noise: Take a part of each class, in the order of the files, and give
            some samples wrong labels, see :class:`~mmpod.datasets.class_subset.ClassSubset`.
        download: Fetch the official archive if neither is there; only in a run of one process.
        kwargs: Passed to mmpretrain's dataset.

    Raises:
        FileNotFoundError: There is no data. The message says where it was expected and how to get it.
        ValueError: A class folder or an image is damaged, or a class has fewer samples than requested.
    """

    IMAGE_SIZE = (32, 32)
    CHANNEL_ORDER = 'bgr'

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        samples_per_class: Optional[Union[int, Sequence[int]]] = None,
        skip_per_class: int = 0,
        label_noise: float = 0.0,
        download: bool = True,
        **kwargs: Any,
    ):
        check_choice('split', split, ['train', 'test'])
        self.subset = ClassSubset(samples_per_class, skip_per_class, label_noise)
        super().__init__(data_root=data_root, split=split, download=download, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Return one dict per sample: ``img`` (32, 32, 3), uint8, BGR, and ``gt_label``."""
        folder = Path(self.data_root) / self.split
        if folder.is_dir():
            samples = load_class_folders(folder, self.CLASSES, self.IMAGE_SIZE)
        else:
            samples = self._load_archive(folder)
        return self.subset.of(samples, self.CLASSES)

    def _load_archive(self, folder: Path) -> list[dict]:
        reason = 'found neither (or damaged files)'
        if self._check_integrity() or (self.download and get_world_size() == 1):
            try:
                samples = super().load_data_list()
                # The archive contains RGB images.
                return [dict(sample, img=np.ascontiguousarray(sample['img'][..., ::-1])) for sample in samples]
            except OSError as error:  # such as no network, no permission, or a full disk
                reason = f'found neither, and the download failed ({error})'
        raise FileNotFoundError(
            f'Expected {self.url.rsplit("/", 1)[-1]}, unpacked, in `{Path(self.data_root).absolute()}` or images in '
            f'`{folder.absolute()}/<class>/`, but {reason}. Unpack {self.url} there, or run once in a single process '
            'with download=True.'
        )


@DATASETS.register_module()
class CIFAR10AnyLayout(AnyLayout, CIFAR10):
    __doc__ = AnyLayout.__doc__.replace("Mixin for mmpretrain's CIFAR datasets:", 'CIFAR-10:')


@DATASETS.register_module()
class CIFAR100AnyLayout(AnyLayout, CIFAR100):
    __doc__ = AnyLayout.__doc__.replace("Mixin for mmpretrain's CIFAR datasets:", 'CIFAR-100:')
