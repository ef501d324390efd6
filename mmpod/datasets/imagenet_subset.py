"""The first k classes of ImageNet, for the paper's ImageNet(30) to ImageNet(500)."""

from pathlib import Path

from mmpretrain.datasets import BaseDataset

from mmpod.functional.checks import check_choice, check_integer
from mmpod.registry import DATASETS

from .image_folder import images_in

__all__ = ['ImageNetSubset']


@DATASETS.register_module()
class ImageNetSubset(BaseDataset):
    """ImageNet's first ``num_classes`` synsets in the order of their names, with labels from 0; never downloaded.

    The layouts of mmpretrain's ``ImageNet``: ``data_root/<split>/<wnid>/*.JPEG``, or for validation
    ``data_root/val/*.JPEG`` with ``data_root/meta/val.txt``, whose lines hold a file name and the label among all 1000
    classes. The paper (arXiv 2111.15449 v1) does not say which classes it took.

    Args:
        data_root: Folder of the dataset.
        num_classes: How many classes, from 2 to 1000.
        split: ``'train'`` or ``'val'``.
        kwargs: Passed on to mmpretrain's ``BaseDataset``.

    Raises:
        FileNotFoundError: No data there, or an empty class folder. Says where it was looked for and how to get it.
        ValueError: There are fewer classes than asked for, or an argument is out of range.
    """

    def __init__(self, data_root: str, num_classes: int, split: str = 'train', **kwargs):
        check_choice('split', split, ['train', 'val'])
        check_integer('num_classes', num_classes, 2, 1000)
        self.split = split
        self.num_classes = num_classes
        super().__init__(ann_file='', data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Return one dict a sample: ``img_path`` and ``gt_label``."""
        folder, annotations = Path(self.data_root) / self.split, Path(self.data_root) / 'meta' / 'val.txt'
        if not folder.is_dir():
            raise FileNotFoundError(
                f'Expected ImageNet in `{folder.absolute()}/<wnid>/`, but there is no such folder. Get it from '
                'https://www.image-net.org/download (registration) and set IMAGENET_ROOT to its folder.'
            )
        if self.split == 'val' and annotations.is_file():
            pairs = (line.rsplit(maxsplit=1) for line in annotations.read_text().splitlines() if line.strip())
            return [
                dict(img_path=str(folder / file), gt_label=int(label))
                for file, label in pairs
                if int(label) < self.num_classes
            ]
        synsets = sorted(path.name for path in folder.iterdir() if path.is_dir())
        if len(synsets) < self.num_classes:
            raise ValueError(
                f'Expected `{folder}` to hold at least num_classes = {self.num_classes} synset folders, '
                f'but got {len(synsets)}.'
            )
        self._metainfo['classes'] = tuple(synsets[: self.num_classes])
        return [
            dict(img_path=str(path), gt_label=label)
            for label, name in enumerate(synsets[: self.num_classes])
            for path in images_in(folder / name)
        ]
