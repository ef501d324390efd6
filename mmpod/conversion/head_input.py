"""Find out what reaches the head of a classifier, by running it, and turn it into one vector per image."""

import copy
import itertools
from typing import Any, Optional, Sequence, Union

import torch
from mmengine.config import Config
from mmengine.model import BaseDataPreprocessor
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from mmpod.conversion.trial_batches import generated_batches, image_sizes, real_batches
from mmpod.utils.checks import check_integer

__all__ = ['head_input', 'projection_input']

Shape = Union[tuple[int, ...], list['Shape'], None]


class _HeadReached(BaseException):
    """Carries what the head was given. It is not an `Exception`, so that no handler on the way swallows it."""


class _NumbersOnHost(TorchFunctionMode):
    """Let `linspace` compute on the CPU, because backbones read their drop-path rates from it as numbers."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **dict(kwargs or {}, **(dict(device='cpu') if func is torch.linspace else {})))


def head_input(cfg: Config, model: dict, sizes: Optional[Sequence[tuple[int, int]]] = None) -> Shape:
    """Return the shapes of what reaches the head of ``model`` for a batch of two images.

    The whole classifier is built and fed through its own preprocessor, up to the first call of its head. The batch is
    the first one of the test, validation or training data if the files exist, otherwise a generated one. The network
    runs without weights on PyTorch's meta device, where tensors have shapes but no numbers; this takes a second or less
    for the largest networks. A network that needs numbers runs on the CPU; one that cannot be built without the
    ``init_cfg`` keeps it. If the last stage gives several tensors, the result is a list of shapes.

    Args:
        cfg: The config around it, for its data.
        model: Config of the classifier, not changed.
        sizes: Sizes (height, width) of generated images to try; None also tries real images.

    Raises:
        ValueError: The classifier cannot be built or run, or does not use its head.
    """
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmpretrain'), torch.no_grad():
        real = [] if sizes else list(real_batches(cfg))
        sizes = sizes or image_sizes(cfg)
        problem: Exception = ValueError('no batch to run it on')
        for device in ('meta', 'cpu'):
            with torch.device(device), _NumbersOnHost():
                try:
                    classifier = _build(cfg, model).to(device).eval()
                except Exception as error:  # whatever third-party code raises
                    problem = error
                    continue
                generated = generated_batches(cfg, classifier, sizes)
                for batch in itertools.chain(real, generated):
                    try:
                        feats = _head_argument(classifier, batch)
                        return _shape(feats[-1] if isinstance(feats, tuple) else feats)
                    except Exception as error:
                        problem = error
    reason = str(problem).partition('\n')[0].rstrip('.')
    raise ValueError(f'the network did not run on a batch here ({type(problem).__name__}: {reason})') from problem


def _build(cfg: Config, model: dict) -> nn.Module:
    """Return the classifier as the Runner builds it, without weights where it can be built without them."""
    model = copy.deepcopy(dict(model))
    if cfg.get('data_preprocessor') is not None:
        model.setdefault('data_preprocessor', copy.deepcopy(cfg.data_preprocessor))
    if model.get('train_cfg'):
        model['train_cfg'].pop('augments', None)
    try:
        return MODELS.build(_without_weights(model))
    except Exception:
        return MODELS.build(model)


def _head_argument(classifier: Any, batch: Any) -> Any:
    """Return the first argument of the first call of the classifier's head."""

    def stop(*args, **kwargs):
        raise _HeadReached((*args, *kwargs.values())[0])

    for name in ('forward', 'loss', 'predict', 'pre_logits'):
        setattr(classifier.head, name, stop)
    device = next((parameter.device for parameter in classifier.parameters()), torch.device('cpu'))
    problem: Exception = ValueError('its `forward` does not call `model.head`')
    for mode in ('loss', 'predict', 'tensor'):
        try:
            # A copy of the batch, because preprocessors write into its samples.
            data = classifier.data_preprocessor(BaseDataPreprocessor().to(device).cast_data(copy.deepcopy(batch)))
            classifier._run_forward(data, mode=mode)
        except _HeadReached as reached:
            return reached.args[0]
        except Exception as error:
            problem = error
    raise problem


def _shape(feats: Any) -> Shape:
    if isinstance(feats, (tuple, list)):
        return [_shape(item) for item in feats]
    return tuple(feats.shape) if isinstance(feats, Tensor) else None


def _without_weights(item: Any) -> Any:
    """Return a copy of a config without the keys that fetch or draw weights."""
    if isinstance(item, dict):
        return {key: _without_weights(value) for key, value in item.items() if key not in ('init_cfg', 'pretrained')}
    return type(item)(map(_without_weights, item)) if type(item) in (tuple, list) else item


def projection_input(
    cfg: Config, model: dict, logits_in_backbone: bool = False, in_channels: Optional[int] = None
) -> tuple[int, dict, list[str]]:
    """Return the channels C of the vector per image that a projection gets, what has to change for it, and notes.

    Args:
        cfg: The config around the model.
        model: Config of the classifier, not changed.
        logits_in_backbone: The head has no layer; remove the backbone's, if it can be switched off.
        in_channels: C from the user, which overrides what is found; None takes what is found, or else the
            ``in_channels`` of the old head.

    Returns:
        tuple: C, the changes of ``backbone`` and ``neck``, and one sentence for each thing to know.

    Raises:
        ValueError: C is not known, or neither vectors nor feature maps reach the head.
    """
    if in_channels is not None:
        check_integer('in_channels', in_channels, 1)
    backbone: Any = model.get('backbone') or {}
    old = model['head'].get('in_channels')
    changes: dict = {}
    notes, problem, found = [], '', None
    for switch in [dict(num_classes=-1), {}] if logits_in_backbone else [{}]:
        bare = dict(model, backbone=dict(backbone, **switch)) if switch else dict(model)
        try:
            shape = head_input(cfg, bare)
        except ValueError as error:  # InceptionV3 has no such setting
            problem = str(error)
            continue
        found, neck = _gathering(shape)
        if switch:
            changes['backbone'] = switch
            notes.append(f'All fully connected layers of {backbone.type} are dropped: it has them only with logits.')
        elif logits_in_backbone:
            notes.append(f'{backbone.type} keeps its last layer, whose {found} outputs the projection gets.')
        if neck is not None:
            changes['neck'] = _appended(model.get('neck'), neck)
            try:
                gathered = _gathering(head_input(cfg, dict(bare, neck=changes['neck'])))
            except ValueError:  # a classifier without `neck`
                gathered = None
            if gathered != (found, None):
                raise ValueError(
                    f'Expected one vector per image to reach the head, but got {shape}, and {neck["type"]} at the end '
                    "of the neck does not change it, because the classifier's own `forward` decides. Pool the features "
                    'there.'
                )
            old = old if isinstance(shape, tuple) else None  # the old head names the length of only one of several
        break
    sources = {'given': in_channels, 'network output': found, 'old head': old}
    sources = {source: number for source, number in sources.items() if isinstance(number, int) and number > 0}
    if not sources:
        raise ValueError(
            f'Expected to find `in_channels`, but {problem}, and the old head does not name it. Pass the length of the '
            'vector per image that reaches the head: in_channels=C, on the command line --in-channels C.'
        )
    if len(set(sources.values())) > 1:
        said = ', '.join(f'{number} ({source})' for source, number in sources.items())
        notes.append(f'The sources of in_channels differ: {said}. The first is used; --in-channels overrides it.')
    elif found is None:
        notes.append(f'in_channels={next(iter(sources.values()))} has not been checked, because {problem}.')
    return next(iter(sources.values())), changes, notes


def _appended(neck: Union[dict, list, None], last: dict) -> list:
    # A list even for a single neck, because a dict could not replace None in a config that inherits.
    necks = neck if isinstance(neck, (list, tuple)) else [neck] if neck else []
    return [*copy.deepcopy(list(necks)), last]


def _gathering(shape: Any) -> tuple[int, Optional[dict]]:
    """Return the length of the one vector per image for the projection, and the neck that makes it, if needed."""
    if isinstance(shape, list) and shape and all(isinstance(item, tuple) and len(item) == 2 for item in shape):
        return sum(item[1] for item in shape), dict(type='mmpod.ConcatFeatures')
    if isinstance(shape, tuple) and len(shape) == 2:
        return shape[1], None
    if isinstance(shape, tuple) and len(shape) == 4:
        return shape[1], dict(type='GlobalAveragePooling')
    raise ValueError(
        'Expected vectors (N, C), lists of them, or feature maps (N, C, H, W) to reach the head, but got '
        f"{shape}. A transformer gives vectors with backbone.out_type='cls_token' or 'avg_featmap'."
    )
