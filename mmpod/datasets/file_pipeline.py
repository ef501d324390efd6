"""Find out how a test set reads image files, by running its pipeline instead of reading the names of its transforms."""

import copy
import tempfile
from pathlib import Path
from typing import Iterator, Optional

import mmcv
import numpy as np
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from mmpretrain.datasets import CIFAR10, MNIST
from mmpretrain.registry import DATASETS
from torch import Tensor

from mmpod.utils.config_parts import is_a, resolve

__all__ = [
    'channel_order',
    'file_pipeline',
    'inner_datasets',
    'known_orders',
    'output_shapes',
    'try_pipeline',
    'without_downloads',
]

COLOUR = (240, 100, 16)  # red, green, blue; its negative is not itself in the other order
TRIES = 4  # of a pipeline that may change colours at random


def inner_datasets(dataset: dict, outer: tuple = ()) -> Iterator[tuple[dict, list]]:
    """Yield the configs of the datasets inside wrappers, such as ``ConcatDataset``, and their pipelines.

    Args:
        dataset: Config of a dataset.
        outer: Transforms of the wrappers around it, which are applied last.
    """
    pipeline = (*(dataset.get('pipeline') or ()), *outer)
    parts = dataset.get('datasets') or [dataset.get('dataset')]
    if not all(isinstance(part, dict) for part in parts):  # it may be the name of a dataset, for example
        yield dataset, list(pipeline)
        return
    for part in parts:
        yield from inner_datasets(part, pipeline)


def without_downloads(dataset: dict) -> dict:
    """Return a copy of a dataset's config in which mmpretrain's CIFAR and MNIST do not download missing files."""
    dataset = copy.deepcopy(dataset)
    for leaf, _ in inner_datasets(dataset):
        if is_a(resolve(leaf.get('type'), DATASETS), (CIFAR10, MNIST)):
            leaf['download'] = False
    return dataset


def file_pipeline(dataset: dict, resize: bool = False) -> list:
    """Return a pipeline that processes an image file as a test set processes its samples.

    This is the pipeline of the test set if that reads files. If the samples are arrays (mmpod's datasets, mmpretrain's
    CIFAR and MNIST), a loader that returns such arrays is put before it.

    Args:
        dataset: Config of a test set.
        resize: Resize a file to the image size of the dataset as soon as it is loaded, if it is one of mmpod's datasets
            whose images have one size (``IMAGE_SIZE``).

    Raises:
        ValueError: The channel order of the arrays is unknown, or the dataset joins datasets with different pipelines.
    """
    pipelines = [_reading(leaf, pipeline, resize) for leaf, pipeline in inner_datasets(dataset)]
    if any(pipeline != pipelines[0] for pipeline in pipelines):
        raise ValueError(
            'Expected the datasets of the test set to read images in one way, but their pipelines differ. Give them '
            'the same `pipeline`, or test on one of them.'
        )
    return pipelines[0]


def channel_order(dataset: dict) -> Optional[str]:
    """Return the order in which a test set's images reach the ``data_preprocessor``, ``'rgb'`` or ``'bgr'``.

    It is found by running an image file of one colour through the pipeline. None if images do not have three channels.

    Args:
        dataset: Config of a test set.

    Raises:
        ValueError: The order cannot be found, or the pipeline changes the colours.
    """
    image = _run(file_pipeline(dataset), (64, 64))
    if len(image) != 3:
        return None
    order, became = _order_of(image)
    if order is None:
        raise ValueError(
            f'Expected the test pipeline to keep colours, but (red, green, blue) = {COLOUR} became {became}. Normalise '
            'in `data_preprocessor`, not in the pipeline.'
        )
    return order


def known_orders(dataset: dict) -> Iterator[tuple[dict, str]]:
    """Yield the datasets inside wrappers and the orders of their images, as in :func:`channel_order`, where found.

    Random augmentation does not matter, unless it always changes the colours of most pixels.
    """
    for leaf, pipeline in inner_datasets(dataset):
        try:
            reading = _reading(leaf, pipeline, resize=False)
            orders = {_order_of(_run(reading, (64, 64)))[0] for _ in range(TRIES)} - {None}
        except Exception:  # from any pipeline, as for images of one channel
            continue
        if len(orders) == 1:
            yield leaf, str(*orders)


def _order_of(image: Tensor) -> tuple[Optional[str], tuple[float, ...]]:
    """Return the order in which the one colour is found in an image (3, h, w), if it is, and the colour found."""
    found = tuple(round(value, 2) for value in image.float().flatten(1).median(dim=1).values.tolist())
    orders = (('rgb', COLOUR), ('bgr', COLOUR[::-1]))
    return next((order for order, colour in orders if np.allclose(found, colour, atol=2)), None), found


def try_pipeline(pipeline: list, size: tuple[int, int]) -> Optional[Tensor]:
    """Return the output of a pipeline for an image file of one colour, shape (C, h, w), or None if it fails.

    Args:
        pipeline: Configs of transforms.
        size: Height and width of the file.
    """
    try:
        return _run(pipeline, size)
    except Exception:  # a transform may raise anything if it finds no image that it can read
        return None


def output_shapes(pipeline: list) -> set[tuple[int, ...]]:
    """Return the output shapes (C, H, W) of a pipeline for a wide and a tall image; one if it fixes the size."""
    images = [try_pipeline(pipeline, size) for size in ((640, 800), (800, 640))]
    return {tuple(image.shape) for image in images if image is not None}


def _run(pipeline: list, size: tuple[int, int]) -> Tensor:
    """Return the output, (C, h, w), of a pipeline for an image file of one colour and the given height and width."""
    with tempfile.TemporaryDirectory() as folder, DefaultScope.overwrite_default_scope('mmpretrain'):
        path = str(Path(folder) / 'colour.png')
        mmcv.imwrite(np.full((*size, 3), COLOUR[::-1], np.uint8), path)
        return Compose(pipeline)(dict(img_path=path, gt_label=0, sample_idx=0))['inputs']


def _reading(dataset: dict, pipeline: list, resize: bool) -> list:
    pack, kind = dict(type='PackInputs'), resolve(dataset.get('type'), DATASETS)
    size = getattr(kind, 'IMAGE_SIZE', None) if resize else None
    # It averages over pixels, and leaves images of that size as they are.
    resized = [] if size is None else [dict(type='Resize', scale=size[::-1], interpolation='area')]
    for candidate in (pipeline, [*pipeline, pack]):  # a wrapper such as InMemoryImages packs the result
        if try_pipeline(candidate, (64, 64)) is not None:
            return [*candidate[:1], *resized, *candidate[1:]]
    pipeline = [*_array_loader(kind), *resized, *pipeline]
    return pipeline if try_pipeline(pipeline, (64, 64)) is not None else [*pipeline, pack]


def _array_loader(kind: type) -> list:
    """Return transforms that read a file into an array like those in the dataset."""
    load = dict(type='LoadImageFromFile')
    if getattr(kind, 'CHANNEL_ORDER', None) == 'bgr':
        return [load]
    if issubclass(kind, CIFAR10):  # and CIFAR-100
        return [load, reverse_channels]
    if issubclass(kind, MNIST):  # and Fashion-MNIST
        return [dict(load, color_type='grayscale')]
    raise ValueError(
        f'Expected a test set that shows how to read image files, but the pipeline of {kind.__name__} does not read a '
        'PNG file, and the order of its arrays is unknown.'
    )


def reverse_channels(results: dict) -> dict:
    """Turn BGR into RGB, or back, in a pipeline."""
    return dict(results, img=np.ascontiguousarray(results['img'][..., ::-1]))
