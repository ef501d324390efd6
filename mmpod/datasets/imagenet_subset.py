"""The first k classes of ImageNet, for the paper's ImageNet(30) to ImageNet(500)."""

import re
from pathlib import Path
from typing import Any, Optional

from mmpretrain.datasets import BaseDataset

from mmpod.registry import DATASETS
from mmpod.utils.checks import check_choice, check_integer

from .image_folder import EXTENSIONS, class_folders, images_in

__all__ = ['ImageNetSubset']


@DATASETS.register_module()
class ImageNetSubset(BaseDataset):
    """ImageNet's first ``num_classes`` synsets in the order of their names, with labels from 0; never downloaded.

    The layout is one of mmpretrain's ``ImageNet``. Either ``data_root/<split>/<wnid>/*.JPEG``, where the folders in
    ``train/`` name the classes of both splits; or, for validation, ``data_root/val/*.JPEG`` with
    ``data_root/meta/val.txt``, whose lines contain a file name and the label among all classes, which are those of
    ``train/`` if it exists. The paper (arXiv 2111.15449 v1) does not say which classes it used.

    Args:
        data_root: Folder of the dataset.
        num_classes: Number of classes, from 2 to 1000.
        split: ``'train'`` or ``'val'``.
        kwargs: Passed to mmpretrain's ``BaseDataset``.

    Raises:
        FileNotFoundError: There is no data, a class folder is empty, or a listed image is missing. The message says
            where it was expected and how to get it.
        ValueError: There are fewer classes than requested, a line of ``val.txt`` is malformed, its labels do not
            match the folders in ``train/``, or an argument is out of range.
    """

    def __init__(self, data_root: str, num_classes: int, split: str = 'train', **kwargs: Any):
        check_choice('split', split, ['train', 'val'])
        check_integer('num_classes', num_classes, 2, 1000)
        self.split = split
        self.num_classes = num_classes
        super().__init__(ann_file='', data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Return one dict per sample: ``img_path`` and ``gt_label``."""
        folder, train, annotations = (Path(self.data_root) / name for name in (self.split, 'train', 'meta/val.txt'))
        self._require(folder)
        if self.split == 'val' and annotations.is_file() and _holds_images(folder):
            return self._load_listed(folder, annotations, class_folders(train) if train.is_dir() else None)
        self._require(train)
        classes = class_folders(train)[: self.num_classes]
        if len(classes) < self.num_classes:
            raise ValueError(
                f'Expected `{train}` to hold at least num_classes = {self.num_classes} synset folders, '
                f'but got {len(classes)}.'
            )
        self._metainfo['classes'] = tuple(classes)
        return [
            dict(img_path=str(path), gt_label=label)
            for label, name in enumerate(classes)
            for path in images_in(folder / name)
        ]

    def _load_listed(self, folder: Path, annotations: Path, classes: Optional[list[str]]) -> list[dict]:
        samples, most = [], 0
        for number, line in enumerate(annotations.read_text().splitlines(), 1):
            if not line.strip():
                continue
            match = re.fullmatch(r'(.*\S)\s+(\d+)', line.strip())
            if match is None:
                raise ValueError(
                    f"Expected line {number} of `{annotations}` to be a file name and a label, such as 'a.JPEG 65', "
                    f'but got {line!r}.'
                )
            path, label = folder / match[1], int(match[2])
            most = max(most, label)
            if label >= self.num_classes:
                continue
            if not path.is_file():
                raise FileNotFoundError(f'Expected `{path}`, which {annotations.name} lists, but it is missing.')
            samples.append(dict(img_path=str(path), gt_label=label))
        if not samples:
            raise ValueError(
                f'Expected `{annotations}` to list images with labels below num_classes = {self.num_classes}, '
                'but got none. Get the list again.'
            )
        if classes is not None:
            if len(classes) != most + 1:
                raise ValueError(
                    f'Expected the labels in `{annotations}` to match the class folders in `{self.data_root}/train`, '
                    f'but they go up to {most} and there are {len(classes)} folders. Sort the validation images into '
                    'val/<wnid>/.'
                )
            self._metainfo['classes'] = tuple(classes[: self.num_classes])
        return samples

    @staticmethod
    def _require(folder: Path) -> None:
        if not folder.is_dir():
            raise FileNotFoundError(
                f'Expected ImageNet in `{folder.absolute()}/<wnid>/`, but there is no such folder. Get it from '
                'https://www.image-net.org/download (registration) and set IMAGENET_ROOT to its folder. The folders in '
                'train/ name the classes of both splits.'
            )


def _holds_images(folder: Path) -> bool:
    return any(path.suffix.lower() in EXTENSIONS for path in folder.iterdir())
