"""Batches to try a network on: the first images of its own data, or generated ones of the same form."""

from typing import Any, Iterator, Sequence

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmpretrain.registry import DATASETS
from mmpretrain.structures import DataSample
from torch import nn

from mmpod.datasets.file_pipeline import file_pipeline, output_shapes, without_downloads
from mmpod.utils.config_parts import loaders_of, preprocessor_of

__all__ = ['generated_batches', 'image_sizes', 'real_batches']


def real_batches(cfg: Config) -> Iterator[Any]:
    """Yield the first two images of the first dataset whose files exist, as a batch."""
    for _, loader in reversed(list(loaders_of(cfg))):
        try:
            dataset = DATASETS.build(without_downloads(loader.dataset))
            yield pseudo_collate([dataset[0], dataset[1]])
            return
        except Exception:  # no files, or anything else that goes wrong in a dataset
            continue


def generated_batches(cfg: Config, classifier: nn.Module, sizes: Sequence[tuple[int, int]]) -> Iterator[dict]:
    """Yield batches of two images, in uint8 and in float32, with each number of channels that the config may mean."""
    mean = preprocessor_of(cfg).get('mean')
    settings = cfg.model.get('backbone') or {}
    backbone = getattr(classifier, 'backbone', classifier)
    convolution = next((module for module in backbone.modules() if isinstance(module, nn.Conv2d)), None)
    candidates = [
        settings.get('in_channels'),
        settings.get('in_chans'),
        len(mean) if isinstance(mean, (list, tuple)) and len(mean) > 1 else None,  # one value applies to all channels
        convolution and convolution.in_channels,
        3,
        1,
    ]
    for dtype in (torch.uint8, torch.float32):
        for channels in dict.fromkeys(number for number in candidates if isinstance(number, int)):
            for size in sizes:
                images = [torch.zeros(channels, *size, dtype=dtype) for _ in range(2)]
                yield dict(inputs=images, data_samples=[DataSample().set_gt_label(label) for label in (0, 1)])


def image_sizes(cfg: Config) -> list[tuple[int, int]]:
    """Return the sizes (height, width) that the config may feed to its backbone, the most likely first."""
    sizes: list = []
    for _, loader in reversed(list(loaders_of(cfg))):
        try:
            shapes = output_shapes(file_pipeline(loader.dataset))
        except Exception:  # it does not read files, or has a transform that is not installed
            continue
        sizes += [shape[1:] for shape in shapes] if len(shapes) == 1 else []
    backbone = cfg.model.get('backbone') or {}
    for size in (backbone.get('img_size'), 224):
        if size is not None:
            sizes.append(tuple(size) if isinstance(size, (tuple, list)) else (size, size))
    return list(dict.fromkeys(sizes))
