"""From a config of mmpretrain that classifies with softmax to the same config with PEDCC and POD Loss."""

import copy
from dataclasses import dataclass
from typing import Optional, Union

from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log
from mmpretrain.models.heads import ClsHead

from mmpod.conversion.eligibility import check_convertible
from mmpod.conversion.head_input import Shape, head_input
from mmpod.functional.centroids import MAX_SEED
from mmpod.models import PODLoss
from mmpod.utils.checks import check_choice, check_integer

__all__ = ['Conversion', 'convert', 'default_feat_dim', 'plan_conversion']

# What of an old loss is kept, or says only how the cross entropy was computed.
KEPT_OF_LOSS = {
    'type',
    'loss_weight',
    'label_smooth_val',
    'mode',
    'num_classes',
    'reduction',
    'use_sigmoid',
    'use_soft',
}
KEPT_OF_HEAD = {'type', 'num_classes', 'in_channels', 'loss', 'topk', 'cal_acc', 'distillation', 'deploy', '_scope_'}
LOSSES = ('CrossEntropyLoss', 'LabelSmoothLoss')


@dataclass(frozen=True)
class Conversion:
    """What turns a config into its converted one.

    Attributes:
        changes: Nested settings to merge into the config.
        notes: What does not come along, one sentence each.
    """

    changes: dict
    notes: tuple[str, ...] = ()

    def apply(self, cfg: Config) -> Config:
        """Return a converted copy of ``cfg``."""
        converted = copy.deepcopy(cfg)
        converted.merge_from_dict(copy.deepcopy(self.changes))
        return converted


def convert(
    cfg: Config,
    feat_dim: Optional[int] = None,
    sc_weight: float = 1.0,
    seed: int = 0,
    centroids: str = 'pedcc',
) -> Config:
    """Return a copy of ``cfg`` whose head is a ``PEDCCHead`` with ``PODLoss``.

    Everything else stays: backbone, data, Mixup and CutMix, optimizer, schedule, hooks, ``init_cfg`` and ``load_from``;
    label smoothing becomes an argument of the loss. What does not come along is logged.

    Args:
        cfg: A single-label image classification config of mmpretrain, not changed.
        feat_dim: D, at least K - 1; None takes :func:`default_feat_dim`.
        sc_weight: Lambda of POD Loss.
        seed: That of the centroids.
        centroids: Those of the head: ``'pedcc'``, or ``'spread'`` for K > D + 1.

    Raises:
        TypeError: An argument has a wrong type.
        ValueError: An argument is out of range, or this config cannot be converted; the message says why.

    Example:
        >>> from mmengine.config import Config
        >>> backbone = dict(type='ResNet', depth=18)
        >>> head = dict(type='LinearClsHead', num_classes=10, in_channels=512)
        >>> model = dict(type='ImageClassifier', backbone=backbone, neck=dict(type='GlobalAveragePooling'), head=head)
        >>> convert(Config(dict(model=model))).model.head.feat_dim
        256
    """
    plan = plan_conversion(cfg, feat_dim, sc_weight, seed, centroids)
    for note in plan.notes:
        print_log(note, logger='current')
    return plan.apply(cfg)


def plan_conversion(
    cfg: Config,
    feat_dim: Optional[int] = None,
    sc_weight: float = 1.0,
    seed: int = 0,
    centroids: str = 'pedcc',
) -> Conversion:
    """Return what :func:`convert` would change, with the same arguments and errors."""
    if not isinstance(cfg, Config):
        raise TypeError(
            f'Expected `cfg` to be a Config, but got {type(cfg).__name__}. Use Config.fromfile(path) or Config(dict).'
        )
    model = cfg.get('model')
    head_class = check_convertible(cfg, model)
    head, backbone = model.head, model.backbone
    # A plain ClsHead has no layer: the backbone makes the logits itself.
    in_backbone = head_class is ClsHead
    num_classes = head.get('num_classes') or (backbone.get('num_classes') if in_backbone else None)
    check_integer('num_classes', num_classes, 2)
    if feat_dim is None:
        feat_dim = default_feat_dim(num_classes)
    check_choice('centroids', centroids, ['pedcc', 'spread'])
    # On a line there are two directions.
    check_integer('feat_dim', feat_dim, 2 if centroids == 'spread' and num_classes > 2 else 1)
    check_integer('seed', seed, 0, MAX_SEED)
    if centroids == 'pedcc' and num_classes > feat_dim + 1:
        raise ValueError(
            f'Expected `feat_dim` to be at least num_classes - 1 = {num_classes - 1}, but got {feat_dim}: no regular '
            "simplex has so many vertices. Leave feat_dim out, or take the most even arrangement, centroids='spread'."
        )
    loss, notes = _loss(head.get('loss') or {}, sc_weight)
    notes = _dropped_from_head(head_class, head) + notes
    changes, shape = {}, None
    if in_backbone:
        changes['backbone'] = dict(num_classes=-1)
        try:
            shape = head_input(cfg, _merged(model, changes))
        except ValueError:  # InceptionV3 has no such setting
            del changes['backbone']
            notes.append(f'{backbone.type} keeps its last layer, whose {num_classes} outputs the projection gets.')
        else:
            notes.append(f'All fully connected layers of {backbone.type} go, because it has them only with logits.')
    shape = shape or head_input(cfg, model)
    in_channels, neck = _gathering(shape)
    if neck is not None:
        changes['neck'] = _appended(model.get('neck'), neck)
    augments = (model.get('train_cfg') or {}).get('augments') or _preprocessor(cfg).get('batch_augments')
    topk = head.get('topk', (1,))
    changes['head'] = dict(
        _delete_=True,
        type='mmpod.PEDCCHead',
        num_classes=num_classes,
        in_channels=in_channels,
        feat_dim=feat_dim,
        seed=seed,
        loss=loss,
        topk=tuple(k for k in ((topk,) if isinstance(topk, int) else topk) if k <= num_classes) or (1,),
        **(dict(cal_acc=True) if head.get('cal_acc') and not augments else {}),
        **(dict(centroids=centroids) if centroids != 'pedcc' else {}),
    )
    hooks, hook_notes = _hooks(cfg)
    return Conversion(dict(model=changes, **hooks), tuple(notes + hook_notes))


def default_feat_dim(num_classes: int) -> int:
    """Return D for K classes: the smallest power of two of at least 2 K, from 256 to 2048, or K - 1 where that is more.

    These are the dimensions of Table II of arXiv 2111.15449 v1, but for its 512 where K = 100.

    Example:
        >>> [default_feat_dim(k) for k in (10, 30, 100, 200, 500, 1000, 5000)]
        [256, 256, 256, 512, 1024, 2048, 4999]
    """
    power = 1 << (2 * num_classes - 1).bit_length()
    return max(min(max(power, 256), 2048), num_classes - 1)


def _loss(old: dict, sc_weight: float) -> tuple[dict, list[str]]:
    """Return the config of POD Loss that keeps what it can of the old loss, and what it cannot."""
    name = old.get('type', 'CrossEntropyLoss')
    name = (name if isinstance(name, str) else name.__name__).split('.')[-1]  # a class in pure Python configs
    loss = dict(type='mmpod.PODLoss', sc_weight=sc_weight)
    if name == 'LabelSmoothLoss':
        amount, mode = old.get('label_smooth_val', 0.0), old.get('mode', 'original')
        if mode == 'multi_label':
            raise ValueError(
                "Expected label smoothing whose weights sum to one, but got mode='multi_label', which is for several "
                "labels an image. Set mode='original' in the loss."
            )
        loss['label_smooth_val'] = amount / (1 + amount) if mode == 'classy_vision' else amount
    if old.get('loss_weight', 1.0) != 1.0:
        loss['loss_weight'] = old['loss_weight']
    PODLoss(**{key: value for key, value in loss.items() if key != 'type'})  # refuses bad settings now
    dropped = sorted(key for key in old if key not in KEPT_OF_LOSS and old[key] is not None)
    notes = [f'{name} goes.'] if name not in LOSSES else []
    return loss, notes + [f'{key}={old[key]!r} of {name} goes: POD Loss has nothing like it.' for key in dropped]


def _dropped_from_head(head_class: type, head: dict) -> list[str]:
    dropped = sorted(key for key in head if key not in KEPT_OF_HEAD and head[key] is not None)
    return [
        f'{key}={head[key]!r} of {head_class.__name__} goes: the projection replaces its layers.' for key in dropped
    ]


def _gathering(shape: Shape) -> tuple[int, Optional[dict]]:
    """Return the length of the one vector an image for the projection, and the neck that makes it, if one is needed."""
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


def _appended(neck: Union[dict, list, None], last: dict) -> list:
    # A list also where one is enough, because a dict could not replace None in a config that inherits.
    necks = neck if isinstance(neck, (list, tuple)) else [neck] if neck else []
    return [*copy.deepcopy(list(necks)), last]


def _hooks(cfg: Config) -> tuple[dict, list[str]]:
    """Return the setting of the hooks without those that reach into the old head, and what goes."""
    hooks = cfg.get('custom_hooks') or []
    for hook in hooks:
        if any(step.get('loss') for step in hook.get('schedule') or []):
            raise ValueError(
                f'Expected hooks that leave the loss alone, but {hook.type} exchanges it during training. Remove '
                '`loss` from its schedule.'
            )
    kept = [hook for hook in hooks if hook.get('type') != 'SetAdaptiveMarginsHook']
    if len(kept) == len(hooks):
        return {}, []
    return dict(custom_hooks=kept), ['SetAdaptiveMarginsHook goes: there are no margins to set.']


def _merged(model: ConfigDict, changes: dict) -> ConfigDict:
    return Conversion(dict(model=changes)).apply(Config(dict(model=copy.deepcopy(model)))).model


def _preprocessor(cfg: Config) -> dict:
    return cfg.model.get('data_preprocessor') or cfg.get('data_preprocessor') or {}
