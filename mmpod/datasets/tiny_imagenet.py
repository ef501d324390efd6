"""Tiny ImageNet in its official layout."""

from pathlib import Path
from typing import Any, Optional, Sequence, Union

from mmpretrain.datasets import BaseDataset

from mmpod.datasets.class_subset import ClassSubset
from mmpod.registry import DATASETS
from mmpod.utils.checks import check_choice, check_integer

from .class_folders import images_in

__all__ = ['TinyImageNet']

URL = 'http://cs231n.stanford.edu/tiny-imagenet-200.zip'


@DATASETS.register_module()
class TinyImageNet(BaseDataset):
    """Images of 64 x 64 pixels in 200 classes: 100,000 for training, 10,000 for validation; never downloaded.

    ``data_root`` has the layout of the official archive::

        data_root/wnids.txt                     the names of the classes, such as n01443537
        data_root/train/<wnid>/images/*.JPEG
        data_root/val/images/*.JPEG
        data_root/val/val_annotations.txt       file name, wnid and box, separated by tabs

    Args:
        data_root: Folder of the dataset.
        split: ``'train'`` or ``'val'``; the labels of the official test split are not public.
        num_classes: Take only this many classes, the first in the order of their names, from 2 to 200.
        skip_classes: Leave out this many classes before these.
        samples_per_class, skip_per_class, label_noise: Take a part of each class, in the order of the files, and give
            some samples wrong labels, see :class:`~mmpod.datasets.class_subset.ClassSubset`.
        kwargs: Passed to mmpretrain's ``BaseDataset``.

    Raises:
        FileNotFoundError: A part of the layout is missing or empty. The message names it and says how to get the data.
        ValueError: An argument is out of range, a class has fewer samples than requested, or the annotations name
            none of the classes.
    """

    IMAGE_SIZE = (64, 64)

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        num_classes: int = 200,
        skip_classes: int = 0,
        samples_per_class: Optional[Union[int, Sequence[int]]] = None,
        skip_per_class: int = 0,
        label_noise: float = 0.0,
        **kwargs: Any,
    ):
        check_choice('split', split, ['train', 'val'])
        check_integer('num_classes', num_classes, 2, 200)
        check_integer('skip_classes', skip_classes, 0, 200 - num_classes)
        self.subset = ClassSubset(samples_per_class, skip_per_class, label_noise)
        self.split = split
        self.chosen = slice(skip_classes, skip_classes + num_classes)
        super().__init__(ann_file='', data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Return one dict per sample: ``img_path`` and ``gt_label``."""
        root = Path(self.data_root)
        names, annotations = root / 'wnids.txt', root / 'val' / 'val_annotations.txt'
        for path in (names, annotations):
            if not path.is_file():
                raise FileNotFoundError(
                    f'Expected Tiny ImageNet in `{root.absolute()}`, but there is no `{path.relative_to(root)}`. '
                    f'Unpack {URL} and set TINYIMAGENET_ROOT to the folder tiny-imagenet-200.'
                )
        classes = sorted(names.read_text().split())[self.chosen]
        self._metainfo['classes'] = tuple(classes)
        samples = self._load_train(classes) if self.split == 'train' else self._load_val(classes, annotations)
        return self.subset.of(samples, classes)

    def _load_train(self, classes: list[str]) -> list[dict]:
        return [
            dict(img_path=str(path), gt_label=label)
            for label, name in enumerate(classes)
            for path in images_in(Path(self.data_root) / 'train' / name / 'images')
        ]

    def _load_val(self, classes: list[str], annotations: Path) -> list[dict]:
        label_of = {name: label for label, name in enumerate(classes)}
        lines = [line.split('\t') for line in annotations.read_text().splitlines() if line.strip()]
        folder = Path(self.data_root, 'val', 'images')
        images_in(folder)  # refuses one that is missing or empty
        samples = [
            dict(img_path=str(folder / file), gt_label=label_of[name]) for file, name, *_ in lines if name in label_of
        ]
        if not samples:
            raise ValueError(
                f'Expected `{annotations}` to name some of the {len(classes)} classes of wnids.txt, but got none of '
                'them. Unpack the archive again.'
            )
        return samples
