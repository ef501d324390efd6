"""Which images an exported classifier takes: their channels, order and size, as the config's test set has them.

All configs here must have a ``test_dataloader``.
"""

import logging
from typing import Optional

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import DefaultScope
from mmpretrain.registry import DATASETS
from torch import Tensor

from mmpod.datasets import channel_order, file_pipeline
from mmpod.datasets.file_pipeline import output_shapes, without_downloads

__all__ = ['export_order', 'image_shape', 'sample_images']

MAX_TEST = 8  # images to compare on


def sample_images(cfg: Config) -> list[Tensor]:
    """Return 8 images of the test set, (C, H, W) each, spread over it; none, with a warning, if it cannot be read."""
    try:
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            source = DATASETS.build(without_downloads(cfg.test_dataloader.dataset))
            indices = range(0, len(source), max(1, len(source) // MAX_TEST))[:MAX_TEST]
            return [source[index]['inputs'] for index in indices]
    except Exception as error:  # from any dataset
        message = f'The test set cannot be read ({type(error).__name__}: {str(error)[:200]}).'
        print_log(message, 'current', logging.WARNING)
        return []


def image_shape(cfg: Config, images: list[Tensor], size: Optional[tuple[int, int]] = None) -> tuple[int, int, int]:
    """Return channels, height and width of test images.

    They are those of ``images``, from :func:`sample_images`. Without images, they are what the test pipeline makes of
    files, resized to the size of the dataset's images if that is known. ``size``, height and width, overrides either.

    Raises:
        ValueError: The images differ in their channels or, without ``size``, in their size; or nothing fixes it.
    """
    dataset = cfg.test_dataloader.dataset
    shapes = {tuple(image.shape) for image in images}
    if not shapes:
        try:
            pipeline = file_pipeline(dataset, resize=True)
        except ValueError as error:
            raise ValueError(f'{error} Put the test set where the config expects it.') from error
        shapes = output_shapes(pipeline)
    channels, sizes = {shape[0] for shape in shapes}, {shape[1:] for shape in shapes}
    if len(channels) != 1:
        raise ValueError(f'Expected test images with one number of channels, but got {sorted(channels)}.')
    if size is None and len(sizes) != 1:
        raise ValueError(
            f'Expected test images of one size, but got {sorted(sizes) or "any"}: the test pipeline does not fix it. '
            'Set it: --image-size HEIGHT WIDTH.'
        )
    return (*channels, *(size or sizes.pop()))


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
