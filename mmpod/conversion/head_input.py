"""What a classifier's backbone and neck hand to its head, found by running them once without numbers."""

import copy
from typing import Any, Optional, Sequence, Union

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from torch import Tensor
from torch.overrides import TorchFunctionMode

__all__ = ['Shape', 'head_input', 'image_sizes']

Shape = Union[tuple[int, ...], list['Shape'], None]

# Transforms that decide the size of an image, with the argument that holds it.
RESIZING = dict(
    CenterCrop='crop_size',
    EfficientNetCenterCrop='crop_size',
    EfficientNetRandomCrop='scale',
    RandomCrop='crop_size',
    RandomResizedCrop='scale',
    Resize='scale',
)


class _NumbersOnHost(TorchFunctionMode):
    """Let `linspace` compute on the CPU, because backbones read their drop-path rates from it as numbers."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **dict(kwargs or {}, **(dict(device='cpu') if func is torch.linspace else {})))


def image_sizes(cfg: Config) -> list[tuple[int, int]]:
    """Return the sizes (height, width) that the config may feed to its backbone, the most probable first."""
    sizes = []
    for name in ('test_dataloader', 'val_dataloader', 'train_dataloader'):
        dataset = (cfg.get(name) or {}).get('dataset') or {}
        while dataset.get('dataset') is not None:  # wrappers that repeat or mix
            dataset = dataset['dataset']
        found = [step.get(RESIZING.get(step.get('type'), '')) for step in dataset.get('pipeline') or []]
        sizes += [size for size in found if size is not None][-1:]
    sizes += [size for size in (cfg.model.backbone.get('img_size'), 224) if size is not None]
    pairs = [tuple(size) if isinstance(size, (tuple, list)) else (size, size) for size in sizes]
    return [size for size in dict.fromkeys(pairs) if len(size) == 2 and min(size) > 0]


def head_input(cfg: Config, model: dict, sizes: Optional[Sequence[tuple[int, int]]] = None) -> Shape:
    """Return the shapes of what reaches the head of ``model`` for a batch of two images.

    The network is built without head and weights and run on PyTorch's meta device, where tensors have shapes and no
    numbers: no download, and a second or less for the largest. The few that need numbers run on the CPU.

    Args:
        cfg: The config around it, for the size and the channels of its images.
        model: Config of the classifier, not changed.
        sizes: Sizes of the images to try, (height, width); by default those of :func:`image_sizes`.

    Returns:
        A shape, or a list of them where the last stage gives several tensors.

    Raises:
        ValueError: It cannot be built or run.
    """
    sizes = image_sizes(cfg) if sizes is None else sizes
    bare = _without_weights({key: value for key, value in model.items() if key not in ('head', 'train_cfg')})
    preprocessor = model.get('data_preprocessor') or cfg.get('data_preprocessor') or {}
    channels = len(preprocessor.get('mean') or (0, 0, 0))
    problem: Exception = ValueError('no size of images in the config')
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmpretrain')), torch.no_grad():
        for device in ('meta', 'cpu'):
            for size in sizes:
                try:
                    with torch.device(device), _NumbersOnHost():
                        classifier = MODELS.build(copy.deepcopy(bare))  # which changes its config
                        classifier.eval()
                        feats = classifier.extract_feat(torch.zeros(2, channels, *size))
                    return _shape(feats[-1] if isinstance(feats, tuple) else feats)
                except Exception as error:  # whatever third-party code raises on a size that it cannot take
                    problem = error
    tried = ', '.join('x'.join(map(str, size)) for size in sizes)
    reason = str(problem).partition('\n')[0].rstrip('.')
    raise ValueError(
        f'Expected backbone and neck to run on images of a size that the config names, {tried}, to read `in_channels` '
        f'off what reaches the head, but got {type(problem).__name__}: {reason}. Check that the config itself trains.'
    ) from problem


def _shape(feats: Any) -> Shape:
    if isinstance(feats, (tuple, list)):
        return [_shape(item) for item in feats]
    return tuple(feats.shape) if isinstance(feats, Tensor) else None


def _without_weights(item: Any) -> Any:
    """Return a copy of a config without the keys that fetch or draw weights."""
    if isinstance(item, dict):
        return {key: _without_weights(value) for key, value in item.items() if key not in ('init_cfg', 'pretrained')}
    return type(item)(map(_without_weights, item)) if type(item) in (tuple, list) else item
