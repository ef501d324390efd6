"""FaceScrub as the paper uses it: 100 people, images of 64 x 64 pixels."""

from pathlib import Path
from typing import Any

from mmpretrain.datasets import CustomDataset

from mmpod.registry import DATASETS
from mmpod.utils.checks import check_choice

from .class_folders import EXTENSIONS

__all__ = ['FaceScrub']


@DATASETS.register_module()
class FaceScrub(CustomDataset):
    """Faces in ``data_root/<split>/<person>/*.jpg`` (or another format).

    The dataset (http://vintage.winklerbros.net/facescrub.html) is a list of links to photographs, given out on request.
    The paper (arXiv 2111.15449 v1) uses 15,896 training and 3,896 test images of 100 people, but does not say which
    people and which test images.

    Args:
        data_root: Folder of the dataset.
        split: ``'train'`` or ``'test'``.
        kwargs: Passed to mmpretrain's ``CustomDataset``.

    Raises:
        FileNotFoundError: There is no data. The message says where it was expected and how to get it.
        ValueError: ``split`` is invalid.
    """

    def __init__(self, data_root: str, split: str = 'train', **kwargs: Any):
        check_choice('split', split, ['train', 'test'])
        folder = Path(data_root, split)
        if not folder.is_dir():
            raise FileNotFoundError(
                f'Expected faces in `{folder.absolute()}/<person>/`, but there is no such folder. Set FACESCRUB_ROOT '
                'to the dataset; it is given out on request, see http://vintage.winklerbros.net/facescrub.html.'
            )
        super().__init__(data_root=data_root, data_prefix=split, **{'extensions': EXTENSIONS, **kwargs})
