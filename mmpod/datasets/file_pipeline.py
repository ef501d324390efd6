"""Find out how a test set reads image files, by running its pipeline instead of reading the names of its transforms."""

import copy
import tempfile
from pathlib import Path
from typing import Optional

import mmcv
import numpy as np
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from mmpretrain.datasets import CIFAR10, MNIST
from mmpretrain.registry import DATASETS
from torch import Tensor

from mmpod.utils.config_parts import inner_datasets, is_a, resolve, type_name

__all__ = [
    'file_pipeline',
    'output_shapes',
    'reading_pipeline',
    'run_pipeline',
    'try_pipeline',
    'without_downloads',
]

COLOUR = (240, 100, 16)  # red, green, blue; its negative is not itself in the other order


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
    pipelines = [reading_pipeline(leaf, pipeline, resize) for leaf, pipeline in inner_datasets(dataset)]
    if any(pipeline != pipelines[0] for pipeline in pipelines):
        raise ValueError(
            'Expected the datasets of the test set to read images in one way, but their pipelines differ. Give them '
            'the same `pipeline`, or test on one of them.'
        )
    return pipelines[0]


def try_pipeline(pipeline: list, size: tuple[int, int]) -> Optional[Tensor]:
    """Return the output of a pipeline for an image file of one colour, shape (C, h, w), or None if it fails.

    Args:
        pipeline: Configs of transforms.
        size: Height and width of the file.
    """
    try:
        return run_pipeline(pipeline, size)
    except Exception:  # a transform may raise anything if it finds no image that it can read
        return None


def output_shapes(pipeline: list) -> set[tuple[int, ...]]:
    """Return the output shapes (C, H, W) of a pipeline for a wide and a tall image; one if it fixes the size."""
    images = [try_pipeline(pipeline, size) for size in ((640, 800), (800, 640))]
    return {tuple(image.shape) for image in images if image is not None}


def run_pipeline(pipeline: list, size: tuple[int, int]) -> Tensor:
    """Return the output, (C, h, w), of a pipeline for an image file of one colour and the given height and width."""
    with tempfile.TemporaryDirectory() as folder, DefaultScope.overwrite_default_scope('mmpretrain'):
        path = str(Path(folder) / 'colour.png')
        mmcv.imwrite(np.full((*size, 3), COLOUR[::-1], np.uint8), path)
        return Compose(pipeline)(dict(img_path=path, gt_label=0, sample_idx=0))['inputs']


def reading_pipeline(dataset: dict, pipeline: list, resize: bool) -> list:
    """Return the pipeline of one dataset, without wrappers, as :func:`file_pipeline` does."""
    pack, kind = dict(type='PackInputs'), resolve(dataset.get('type'), DATASETS)
    size = getattr(kind, 'IMAGE_SIZE', None) if resize else None
    # It averages over pixels, and leaves images of that size as they are.
    resized = [] if size is None else [dict(type='Resize', scale=size[::-1], interpolation='area')]
    for candidate in (pipeline, [*pipeline, pack]):  # a wrapper such as InMemoryImages packs the result
        if try_pipeline(candidate, (64, 64)) is not None:
            return [*candidate[:1], *resized, *candidate[1:]]
    pipeline = [*_array_loader(dataset), *resized, *pipeline]
    return pipeline if try_pipeline(pipeline, (64, 64)) is not None else [*pipeline, pack]


def _array_loader(dataset: dict) -> list:
    """Return transforms that read a file into an array like those in the dataset."""
    load, kind = dict(type='LoadImageFromFile'), resolve(dataset.get('type'), DATASETS)
    if getattr(kind, 'CHANNEL_ORDER', None) == 'bgr':
        return [load]
    if is_a(kind, CIFAR10):  # and CIFAR-100
        return [load, reverse_channels]
    if is_a(kind, MNIST):  # and Fashion-MNIST
        return [dict(load, color_type='grayscale')]
    raise ValueError(
        f'Expected a test set that shows how to read image files, but the pipeline of {type_name(dataset)} does not '
        'read a PNG file, and the order of its arrays is unknown.'
    )


def reverse_channels(results: dict) -> dict:
    """Turn BGR into RGB, or back, in a pipeline."""
    return dict(results, img=np.ascontiguousarray(results['img'][..., ::-1]))
