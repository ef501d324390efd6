"""The first k classes of ImageNet, for the paper's ImageNet(30) to ImageNet(500)."""

from pathlib import Path
from typing import Any

from mmpretrain.datasets import ImageNet

from mmpod.registry import DATASETS
from mmpod.utils.checks import check_choice, check_integer

from .class_folders import class_folders

__all__ = ['ImageNetSubset']


@DATASETS.register_module()
class ImageNetSubset(ImageNet):
    """ImageNet's first ``num_classes`` synsets in the order of their names, with labels from 0; never downloaded.

    The layout is one of mmpretrain's ``ImageNet``: either ``data_root/<split>/<wnid>/*.JPEG``, or
    ``data_root/<split>/*.JPEG`` with ``data_root/meta/<split>.txt``, whose lines hold a file name and a label. In both,
    the folders in ``train/`` name the classes of both splits. The paper (arXiv 2111.15449 v1) does not say which
    classes it used.

    Args:
        data_root: Folder of the dataset.
        num_classes: Number of classes, from 2 to 1000.
        split: ``'train'`` or ``'val'``.
        kwargs: Passed to mmpretrain's ``ImageNet``.

    Raises:
        FileNotFoundError: There is no data. The message says where it was expected and how to get it.
        ValueError: There are fewer classes than requested, a class has no images, the labels do not match the folders
            in ``train/``, a line of the list is malformed, or an argument is out of range.
    """

    METAINFO: dict = {}  # instead of the 1000 names of all classes

    def __init__(self, data_root: str, num_classes: int, split: str = 'train', **kwargs: Any):
        check_choice('split', split, ['train', 'val'])
        check_integer('num_classes', num_classes, 2, 1000)
        for folder in (Path(data_root, split), Path(data_root, 'train')):
            if not folder.is_dir():
                raise FileNotFoundError(
                    f'Expected ImageNet in `{folder.absolute()}/<wnid>/`, but there is no such folder. Get it from '
                    'https://www.image-net.org/download (registration) and set IMAGENET_ROOT to its folder. The '
                    'folders in train/ name the classes of both splits.'
                )
        self.split = split
        self.num_classes = num_classes
        super().__init__(data_root=data_root, split=split, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Return one dict per sample: ``img_path`` and ``gt_label``."""
        if class_folders(Path(self.data_root, self.split)):
            self.ann_file = ''  # mmpretrain reads a list that exists, although the images are sorted into folders
        try:
            samples = super().load_data_list()
        except ValueError as error:
            raise ValueError(f"Expected lines 'FILE LABEL' in `{self.ann_file}`, but got: {error}.") from error
        train = Path(self.data_root, 'train')
        classes, labels = class_folders(train), {sample['gt_label'] for sample in samples}
        found = classes if self.ann_file else list(self.folder_to_idx)
        if len(classes) < self.num_classes or found != classes or labels != set(range(len(classes))):
            raise ValueError(
                f'Expected at least num_classes = {self.num_classes} synset folders in `{train}`, and images of '
                f'exactly these classes in `{self.img_prefix}`, but got {len(classes)} folders and images of '
                f'{len(labels)} classes. Remove empty and hidden folders; with meta/{self.split}.txt, correct it or '
                f'sort the images into folders in {self.split}/.'
            )
        self._metainfo['classes'] = tuple((self.CLASSES or classes)[: self.num_classes])
        return [sample for sample in samples if sample['gt_label'] < self.num_classes]
