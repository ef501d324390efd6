"""From a softmax config of mmpretrain to the same config with POD Loss or another supported loss."""

import copy
from dataclasses import dataclass
from typing import Any, Optional

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import DefaultScope
from mmpretrain.engine import SetAdaptiveMarginsHook
from mmpretrain.models import ImageClassifier
from mmpretrain.models.heads import ClsHead
from mmpretrain.registry import HOOKS, MODELS

from mmpod.conversion.eligibility import check_convertible, check_version
from mmpod.conversion.head_input import projection_input
from mmpod.conversion.new_head import NORMS, projection_settings
from mmpod.conversion.target_losses import CENTROID_LOSSES, LOSSES, ONE_CLASS_LOSSES, loss_config
from mmpod.utils.checks import check_choice, check_integer
from mmpod.utils.config_parts import preprocessor_of, resolve

__all__ = ['Conversion', 'convert', 'plan_conversion', 'plan_gda']

KEPT_OF_HEAD = {'type', 'num_classes', 'in_channels', 'loss', 'topk', 'cal_acc', 'distillation', 'deploy', '_scope_'}


@dataclass(frozen=True)
class Conversion:
    """The changes that turn a config into its converted version.

    Attributes:
        changes: Nested settings to merge into the config.
        notes: What is dropped or should be checked, one sentence each.
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
    loss: str = 'pod',
    norm: Optional[str] = 'bn',
    in_channels: Optional[int] = None,
) -> Config:
    """Return a copy of ``cfg`` whose head is a ``PEDCCHead`` with ``PODLoss`` or another supported loss.

    Everything else stays: backbone, data, Mixup and CutMix, optimizer, schedule, hooks, ``init_cfg`` and ``load_from``.
    Label smoothing, class weights and a focal factor become arguments of the loss. The name of the loss is added to
    ``work_dir``. Whatever is dropped is logged.

    Args:
        cfg: A single-label image classification config of mmpretrain, not changed.
        feat_dim: D, at least K - 1; None takes :func:`~mmpod.conversion.new_head.default_feat_dim`.
        sc_weight: Lambda of POD Loss.
        seed: Seed of the centroids.
        centroids: ``'pedcc'``, or ``'spread'`` for K > D + 1.
        loss: One of ``mmpod.conversion.target_losses.LOSSES``; ``'softmax'`` is the original.
        norm: ``'bn'`` (recommended) or ``'ln'``, a norm between the projection and the scaling to unit length; None for
            no norm, as printed in the paper. Losses with learned prototypes have neither projection nor norm.
        in_channels: C, channels of what reaches the head; None to detect it.

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
    plan = plan_conversion(cfg, feat_dim, sc_weight, seed, centroids, loss, norm, in_channels)
    for note in plan.notes:
        print_log(note, logger='current')
    return plan.apply(cfg)


def plan_conversion(
    cfg: Config,
    feat_dim: Optional[int] = None,
    sc_weight: float = 1.0,
    seed: int = 0,
    centroids: str = 'pedcc',
    loss: str = 'pod',
    norm: Optional[str] = 'bn',
    in_channels: Optional[int] = None,
) -> Conversion:
    """Return what :func:`convert` would change, with the same arguments and errors."""
    if not isinstance(cfg, Config):
        raise TypeError(
            f'Expected `cfg` to be a Config, but got {type(cfg).__name__}. Use Config.fromfile(path) or Config(dict).'
        )
    check_choice('loss', loss, list(LOSSES))
    check_choice('norm', norm, [None, *NORMS])
    check_choice('centroids', centroids, ['pedcc', 'spread'])
    check_version(cfg)
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmpretrain'):
        model = cfg.get('model')
        classifier, head_class = check_convertible(model)
        if loss in ONE_CLASS_LOSSES and _has_soft_labels(cfg):
            raise ValueError(
                f'Expected labels of one class per image for loss={loss!r}, but this config mixes images (`augments` '
                'or `batch_augments`). Remove the mixing from the original, or choose another loss.'
            )
        own, own_notes = _own_folder(cfg, loss)
        if loss == 'softmax':
            return Conversion(own, own_notes)
        if loss == 'cot':
            return Conversion(dict(_two_objectives(cfg, classifier), **own), own_notes)
        head, notes = model.head, _dropped_from_head(head_class, model.head)
        # A plain ClsHead has no layers: the backbone computes the logits itself.
        in_backbone = head_class is ClsHead
        num_classes: Any = head.get('num_classes') or (model.backbone.get('num_classes') if in_backbone else None)
        check_integer('num_classes', num_classes, 2)
        new_loss, loss_notes = loss_config(loss, head.get('loss'), num_classes, sc_weight)
        if loss in CENTROID_LOSSES:
            kind, settings = 'mmpod.PEDCCHead', projection_settings(num_classes, feat_dim, seed, centroids, norm)
        elif feat_dim is None:
            kind, settings = 'mmpod.LearnedPrototypeHead', {}
        else:
            raise ValueError(
                f'Expected no `feat_dim` for loss={loss!r}, whose head has no projection, but got {feat_dim}. Omit it.'
            )
        channels, changes, input_notes = projection_input(cfg, model, in_backbone, in_channels)
        if loss == 'center':
            new_loss.update(num_classes=num_classes, feat_dim=channels)
        hooks, hook_notes = _hooks(cfg)
    changes['head'] = dict(
        _delete_=True,
        type=kind,
        num_classes=num_classes,
        in_channels=channels,
        **settings,
        loss=new_loss,
        topk=_topk(head, num_classes),
        **(dict(cal_acc=True) if head.get('cal_acc') and not _has_soft_labels(cfg) else {}),
    )
    notes += [*loss_notes, *input_notes, *hook_notes, *_unmatched_keys(cfg, changes['head']), *own_notes]
    return Conversion(dict(model=changes, **hooks, **own), tuple(notes))


def plan_gda(cfg: Config, covariance: str = 'shared') -> Conversion:
    """Return the changes that make a converted config fit Gaussians on the features of its checkpoint and test them."""
    head = cfg.model.head
    if resolve(cfg.model.type, MODELS) is not ImageClassifier or head.type != 'mmpod.PEDCCHead':
        raise ValueError(
            f'Expected an ImageClassifier with a PEDCCHead for GDA, but got {cfg.model.type} with {head.type}.'
        )
    return Conversion(
        dict(
            model=dict(type='mmpod.GDAClassifier', covariance=covariance, shrinkage='auto'),
            custom_hooks=[*copy.deepcopy(cfg.get('custom_hooks') or []), dict(type='mmpod.FitGDAHook')],
            test_evaluator=[
                dict(type='mmpod.CosineAccuracy', topk=(1,)),
                dict(type='Accuracy', topk=(1,), prefix='gda'),
            ],
        )
    )


def _two_objectives(cfg: Config, classifier: type) -> dict:
    """Return the changes that train the original with Complement Objective Training."""
    constructor = (cfg.get('optim_wrapper') or {}).get('constructor')
    if classifier is not ImageClassifier or constructor is not None or preprocessor_of(cfg).get('to_onehot'):
        raise ValueError(
            'Expected an ImageClassifier, no `optim_wrapper.constructor` and no `to_onehot` in the data preprocessor '
            "for loss='cot', which replaces classifier and constructor and needs integer labels. Choose another loss."
        )
    return dict(
        model=dict(type='mmpod.COTClassifier'),
        optim_wrapper=dict(constructor='mmpod.COTOptimWrapperConstructor'),
        model_wrapper_cfg=dict(type='mmpod.COTDistributedDataParallel'),
    )


def _own_folder(cfg: Config, loss: str) -> tuple[dict, tuple[str, ...]]:
    """Return a ``work_dir`` of its own, so that training does not overwrite files of the original, and a note on it."""
    folder = cfg.get('work_dir')
    if folder is None:
        return {}, ()
    own = f'{folder.rstrip("/")}_{loss}'
    note = f'work_dir becomes {own!r}, so that training does not overwrite files of the original.'
    return dict(work_dir=own), (f'{note} Set another if you convert it with this loss again.',)


def _dropped_from_head(head_class: type, head: dict) -> list[str]:
    name = head_class.__name__
    dropped = sorted(key for key in head if key not in KEPT_OF_HEAD and head[key] is not None)
    notes = [f'{key}={head[key]!r} of {name} is dropped: the projection replaces its layers.' for key in dropped]
    own = [item for item in ('loss', '_get_loss') if not getattr(head_class, item).__module__.startswith('mmpretrain.')]
    return notes + [f'`{item}` of {name} is dropped, along with any loss that it adds.' for item in own]


def _unmatched_keys(cfg: Config, head: dict) -> list[str]:
    """Return notes on parameter-wise settings of the optimizer that were meant for layers of the old head."""
    custom = ((cfg.get('optim_wrapper') or {}).get('paramwise_cfg') or {}).get('custom_keys') or {}
    keys = [key for key in custom if 'head' in key]
    if not keys:
        return []
    small = dict(head, num_classes=2, **(dict(feat_dim=1) if 'feat_dim' in head else {}), topk=1)  # has the same names
    del small['_delete_']
    names = [f'head.{name}' for name, _ in MODELS.build(small).named_parameters()]
    return [
        f'custom_keys[{key!r}] of the optimizer matches nothing in the new head, whose parameters are '
        f'{", ".join(names)}. Rename the key.'
        for key in keys
        if not any(key in name for name in names)
    ]


def _topk(head: dict, num_classes: int) -> tuple[int, ...]:
    topk = head.get('topk') or 1
    return tuple(k for k in ((topk,) if isinstance(topk, int) else topk) if k <= num_classes) or (1,)


def _has_soft_labels(cfg: Config) -> bool:
    from_start = (cfg.model.get('train_cfg') or {}).get('augments') or preprocessor_of(cfg).get('batch_augments')
    return bool(from_start or _hooks_that_switch(cfg, 'batch_augments'))


def _hooks_that_switch(cfg: Config, key: str) -> list:
    """Return the custom hooks whose ``schedule`` sets ``key`` during training, as mmpretrain's SwitchRecipeHook can."""
    steps = [(hook, step) for hook in cfg.get('custom_hooks') or [] for step in hook.get('schedule') or []]
    return [hook for hook, step in steps if isinstance(step, dict) and step.get(key)]  # ProfilerHook's is a dict


def _hooks(cfg: Config) -> tuple[dict, list[str]]:
    """Return ``custom_hooks`` without those that access the old head, and notes on what is dropped."""
    if switching := _hooks_that_switch(cfg, 'loss'):
        raise ValueError(
            f'Expected hooks that leave the loss alone, but {switching[0].type} replaces it during training. '
            'Remove `loss` from its schedule.'
        )
    hooks = cfg.get('custom_hooks') or []
    kept = [hook for hook in hooks if resolve(hook.get('type'), HOOKS) is not SetAdaptiveMarginsHook]
    notes = ['SetAdaptiveMarginsHook is dropped: there are no margins to set.']
    return (dict(custom_hooks=kept), notes) if len(kept) < len(hooks) else ({}, [])
