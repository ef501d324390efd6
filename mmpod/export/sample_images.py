"""Which images an exported classifier takes: those of the config's test set or of a folder, and their channel order.

All configs here must have a ``test_dataloader``.
"""

from pathlib import Path
from typing import Optional, Union

from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import DATASETS
from torch import Tensor

from mmpod.datasets import UnlabelledImages, channel_order, file_pipeline
from mmpod.datasets.file_pipeline import without_downloads

__all__ = ['export_order', 'sample_images']

MAX_TEST, MAX_FOLDER = 8, 64  # images to compare on


def sample_images(cfg: Config, folder: Union[str, Path, None] = None) -> list[Tensor]:
    """Return up to 8 images of the test set, spread over it, or the first 64 of a folder, (C, H, W) each.

    Raises:
        FileNotFoundError: There are no images in the folder.
        ValueError: The test set cannot be read.
    """
    if folder is not None:
        images = UnlabelledImages(str(folder), pipeline=file_pipeline(cfg.test_dataloader.dataset, resize=True))
        return [images[index]['inputs'] for index in range(min(len(images), MAX_FOLDER))]
    try:
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            source = DATASETS.build(without_downloads(cfg.test_dataloader.dataset))
            indices = range(0, len(source), max(1, len(source) // MAX_TEST))[:MAX_TEST]
            return [source[index]['inputs'] for index in indices]
    except Exception as error:  # from any dataset
        raise ValueError(
            f'Expected a test set that can be read, but got {type(error).__name__}: {str(error)[:200]}. Put it where '
            'the config expects it, or name a folder of images such as those that the model will get: --images FOLDER.'
        ) from error


def export_order(cfg: Config, channels: int, given: Optional[str] = None) -> Optional[str]:
    """Return the order, ``'rgb'`` or ``'bgr'``, in which images reach the ``data_preprocessor``.

    None unless there are three channels; ``given`` for a test set whose order cannot be found.

    Raises:
        ValueError: The order cannot be found, or differs from ``given``.
    """
    if channels != 3:
        return None
    try:
        found = channel_order(cfg.test_dataloader.dataset)
    except Exception as error:  # from any pipeline
        if given is not None:
            return given
        raise ValueError(
            f'{error} Name the order in which images reach the data_preprocessor: --channel-order rgb or bgr.'
        ) from error
    if given not in (None, found):
        raise ValueError(f'Expected --channel-order {found}, which the test pipeline gives, but got {given}.')
    return found
