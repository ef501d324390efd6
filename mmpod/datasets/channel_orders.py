"""The order of an image's channels, RGB or BGR, found by running a pipeline, and checks that datasets agree.

A dataset of arrays declares it as `CHANNEL_ORDER`; `file_pipeline` knows that of mmpretrain's CIFAR and MNIST.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Optional

import numpy as np
from mmengine.config import Config
from mmpretrain.registry import DATASETS
from torch import Tensor

from mmpod.datasets.file_pipeline import COLOUR, file_pipeline, reading_pipeline, run_pipeline
from mmpod.utils.config_parts import inner_datasets, loaders_of, preprocessor_of, resolve, type_name
from mmpod.utils.errors import UserError

__all__ = ['channel_order', 'check_channel_order', 'check_same_order']

TRIES = 4  # of a pipeline that may change colours at random


def channel_order(dataset: dict) -> Optional[str]:
    """Return the order in which a test set's images reach the ``data_preprocessor``, ``'rgb'`` or ``'bgr'``.

    It is found by running an image file of one colour through the pipeline. None if images do not have three channels.

    Args:
        dataset: Config of a test set.

    Raises:
        ValueError: The order cannot be found, or the pipeline changes the colours.
    """
    image = run_pipeline(file_pipeline(dataset), (64, 64))
    if len(image) != 3:
        return None
    order, became = _order_of(image)
    if order is None:
        raise ValueError(
            f'Expected the test pipeline to keep colours, but (red, green, blue) = {COLOUR} became {became}. Normalise '
            'in `data_preprocessor`, not in the pipeline.'
        )
    return order


def check_channel_order(cfg: Config) -> None:
    """Refuse loaders whose images come in different orders, and a preprocessor that takes mmpod's BGR images for RGB.

    The latter is what configs of mmpod 0.1 do.

    Raises:
        UserError: The orders differ, or the normalisation differs by channel and ``to_rgb`` is not set.
    """
    check_same_order({name: loader.get('dataset') for name, loader in loaders_of(cfg)})
    preprocessor = preprocessor_of(cfg)
    if preprocessor.get('to_rgb') or len({*(preprocessor.get('mean') or ())}) < 2:
        return
    for _, loader in loaders_of(cfg):
        dataset = loader.get('dataset')
        for leaf, _ in inner_datasets(dataset) if isinstance(dataset, dict) else ():
            if getattr(resolve(leaf.get('type'), DATASETS), 'CHANNEL_ORDER', None) == 'bgr':
                raise UserError(
                    f'Expected to_rgb=True in `data_preprocessor`, because {leaf["type"]} delivers BGR images, as '
                    'LoadImageFromFile does, but it is not set. Up to mmpod 0.1 this dataset delivered RGB: set '
                    'data_preprocessor.to_rgb=True also for models from that time.'
                )


def check_same_order(datasets: Mapping[str, Any]) -> None:
    """Refuse datasets whose images reach the model as RGB in one and BGR in another, where their orders can be found.

    Args:
        datasets: Configs of datasets by source, such as ``'val_dataloader'``; built ones pass.

    Raises:
        UserError: The orders differ.
    """
    orders: dict[str, str] = {}
    for source, dataset in datasets.items():
        for leaf, order in _known_orders(dataset) if isinstance(dataset, dict) else ():
            orders.setdefault(order, f'{type_name(leaf)} ({source})')
    if len(orders) > 1:
        raise UserError(
            f'Expected all images to have one channel order, but the pipeline of {orders["rgb"]} gives RGB and that of '
            f"{orders['bgr']} gives BGR. Put dict(type='NumpyToPIL', to_rgb=True), dict(type='PILToNumpy') into one of "
            'them, after the transform that loads images if there is one: they swap red and blue. Instead of '
            "mmpretrain's CIFAR10 you can use mmpod.CIFAR10AnyLayout, whose images are BGR."
        )


def _known_orders(dataset: dict) -> Iterator[tuple[dict, str]]:
    """Yield the datasets inside wrappers and the orders of their images, as in :func:`channel_order`, where found.

    Random augmentation does not matter, unless it always changes the colours of most pixels.
    """
    for leaf, pipeline in inner_datasets(dataset):
        try:
            reading = reading_pipeline(leaf, pipeline, resize=False)
            orders = {_order_of(run_pipeline(reading, (64, 64)))[0] for _ in range(TRIES)} - {None}
        except Exception:  # from any pipeline, as for images of one channel
            continue
        if len(orders) == 1:
            yield leaf, str(*orders)


def _order_of(image: Tensor) -> tuple[Optional[str], tuple[float, ...]]:
    """Return the order in which the one colour is found in an image (3, h, w), if it is, and the colour found."""
    found = tuple(round(value, 2) for value in image.float().flatten(1).median(dim=1).values.tolist())
    orders = (('rgb', COLOUR), ('bgr', COLOUR[::-1]))
    return next((order for order, colour in orders if np.allclose(found, colour, atol=2)), None), found
