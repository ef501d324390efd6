"""A batch to try a network on: the first images of its own data, or generated ones of the same form."""

import copy
import inspect
from typing import Any, Iterator, Optional, Sequence, Union

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmpretrain.registry import DATASETS, TRANSFORMS
from mmpretrain.structures import DataSample
from torch import nn

from mmpod.conversion.eligibility import resolve

__all__ = ['generated_batches', 'image_sizes', 'real_batches']

LOADERS = ('test_dataloader', 'val_dataloader', 'train_dataloader')
# Transforms that decide the size of an image, with the argument that holds it.
RESIZING = dict(
    CenterCrop='crop_size',
    EfficientNetCenterCrop='crop_size',
    EfficientNetRandomCrop='scale',
    RandomCrop='crop_size',
    RandomResizedCrop='scale',
    Resize='scale',
)


def real_batches(cfg: Config) -> Iterator[Any]:
    """Yield the first two images of the first data set whose files are there, as its loader gives them."""
    for name in LOADERS:
        if cfg.get(name) is None:
            continue
        try:
            loader = _without_downloads(copy.deepcopy(cfg[name].to_dict()))
            loader.update(batch_size=2, num_workers=0, persistent_workers=False, pin_memory=False)
            yield next(iter(Runner.build_dataloader(loader)))
            return
        except Exception:  # no files, or a loader that needs more than two images
            continue


def generated_batches(cfg: Config, classifier: nn.Module, sizes: Sequence[tuple[int, int]]) -> Iterator[dict]:
    """Yield batches of two images, as bytes and as numbers, of the channels that the config may mean."""
    preprocessor = cfg.model.get('data_preprocessor') or cfg.get('data_preprocessor') or {}
    mean = preprocessor.get('mean')
    settings = cfg.model.get('backbone') or {}
    backbone = getattr(classifier, 'backbone', classifier)
    convolution = next((module for module in backbone.modules() if isinstance(module, nn.Conv2d)), None)
    candidates = [
        settings.get('in_channels'),
        settings.get('in_chans'),
        len(mean) if isinstance(mean, (list, tuple)) and len(mean) > 1 else None,  # one value is for all channels
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
    """Return the sizes (height, width) that the config may feed to its backbone, the most probable first."""
    sizes = []
    for name in LOADERS:
        dataset = (cfg.get(name) or {}).get('dataset') or {}
        while dataset.get('dataset') or dataset.get('datasets'):  # wrappers that repeat, mix or concatenate
            dataset = dataset.get('dataset') or dataset['datasets'][0]
        found = [step.get(_size_argument(step.get('type'))) for step in dataset.get('pipeline') or []]
        sizes += [size for size in found if size is not None][-1:]
    backbone = cfg.model.get('backbone') or {}
    sizes += [size for size in (backbone.get('img_size'), 224) if size is not None]
    pairs = [tuple(size) if isinstance(size, (tuple, list)) else (size, size) for size in sizes]
    return [size for size in dict.fromkeys(pairs) if len(size) == 2 and min(size) > 0]


def _size_argument(transform: Union[str, type, None]) -> Optional[str]:
    names = [base.__name__ for base in getattr(resolve(transform, TRANSFORMS), '__mro__', ())]
    return next((RESIZING[name] for name in names if name in RESIZING), None)


def _without_downloads(item: Any) -> Any:
    """Switch off, in place, the downloads of datasets that would fetch what is not there."""
    if isinstance(item, dict):
        dataset = resolve(item.get('type'), DATASETS)
        if isinstance(dataset, type) and 'download' in inspect.signature(dataset).parameters:
            item['download'] = False
    if isinstance(item, (dict, list, tuple)):
        for value in item.values() if isinstance(item, dict) else item:
            _without_downloads(value)
    return item
