"""FaceScrub as the paper uses it: 100 people, images of 64 x 64 pixels."""

from pathlib import Path
from typing import Any

from mmpretrain.datasets import BaseDataset

from mmpod.registry import DATASETS
from mmpod.utils.checks import check_choice

from .image_folder import class_folders, load_class_folders

__all__ = ['FaceScrub']


@DATASETS.register_module()
class FaceScrub(BaseDataset):
    """Faces in ``data_root/<split>/<person>/*.jpg`` (or another format), 100 people, 64 x 64 pixels.

    The dataset (http://vintage.winklerbros.net/facescrub.html) is a list of links to photographs, given out on request.
    Images are BGR, as from mmpretrain's ``LoadImageFromFile``: set ``to_rgb=True`` in ``data_preprocessor``. The paper
    (arXiv 2111.15449 v1) uses 15,896 training and 3,896 test images of 100 people, but does not say which people and
    which test images.

    Args:
        data_root: Folder of the dataset.
        split: ``'train'`` or ``'test'``.
        kwargs: Passed to mmpretrain's ``BaseDataset``.

    Raises:
        FileNotFoundError: There is no data, or a folder is empty. The message says where it was expected and how to get
            it.
        ValueError: There are not 100 people, an image is corrupt or of another size, or ``split`` is invalid.
    """

    NUM_CLASSES = 100
    IMAGE_SIZE = (64, 64)
    CHANNEL_ORDER = 'bgr'

    def __init__(self, data_root: str, split: str = 'train', **kwargs: Any):
        check_choice('split', split, ['train', 'test'])
        self.split = split
        super().__init__(ann_file='', data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Return one dict per sample: ``img`` (64, 64, 3), uint8, BGR, and ``gt_label``, in the order of names."""
        train = Path(self.data_root) / 'train'
        if not train.is_dir():
            raise FileNotFoundError(
                f'Expected faces in `{train.absolute()}/<person>/`, but there is no such folder. Set FACESCRUB_ROOT to '
                'the dataset; it is given out on request, see http://vintage.winklerbros.net/facescrub.html.'
            )
        people = class_folders(train)
        if len(people) != self.NUM_CLASSES:
            raise ValueError(f'Expected `{train}` to hold {self.NUM_CLASSES} people, but got {len(people)}.')
        self._metainfo['classes'] = tuple(people)
        return load_class_folders(Path(self.data_root) / self.split, people, self.IMAGE_SIZE)
