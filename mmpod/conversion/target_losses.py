"""The losses that a softmax config can be converted to, and what they keep of its own loss."""

from typing import Any

from mmpretrain.models.losses import CrossEntropyLoss, FocalLoss, LabelSmoothLoss
from mmpretrain.registry import MODELS as HOST_MODELS

from mmpod.models import PODLoss
from mmpod.registry import MODELS
from mmpod.utils.config_parts import is_a, resolve, type_name

__all__ = ['CENTROID_LOSSES', 'LEARNED_LOSSES', 'LOSSES', 'ONE_CLASS_LOSSES', 'loss_config']

# In a PEDCCHead, with frozen centroids.
CENTROID_LOSSES: dict[str, dict] = dict(
    pod=dict(type='mmpod.PODLoss'),
    cosine=dict(type='mmpod.PODLoss', sc_weight=0.0),
    pedccmse=dict(type='mmpod.PODLoss', sc_weight=0.0, power=1),
    pedccloss=dict(type='mmpod.PEDCCLoss', scale=10.0, margin=0.5),
)
# In a LearnedPrototypeHead, with one learned weight vector per class.
LEARNED_LOSSES: dict[str, dict] = dict(
    amsoftmax=dict(type='mmpod.AMSoftmaxLoss', scale=30.0, margin=0.35),
    asoftmax=dict(type='mmpod.ASoftmaxLoss'),
    lsoftmax=dict(type='mmpod.LSoftmaxLoss'),
    center=dict(type='mmpod.CenterLoss'),
)
# Names as in a converted config; softmax is the original, and cot trains the head of the original with two objectives.
LOSSES = dict(
    pod='POD Loss',
    cosine='Cosine Loss',
    pedccmse='PEDCC-MSE',
    pedccloss='PEDCC-Loss',
    amsoftmax='AM-Softmax',
    asoftmax='A-Softmax',
    lsoftmax='L-Softmax',
    center='Center Loss',
    cot='complement objective training',
    softmax='its own loss',
)
# These treat the true class differently from the others, so they cannot use soft labels.
ONE_CLASS_LOSSES = ['pedccloss', 'amsoftmax', 'asoftmax', 'lsoftmax', 'cot']

# Settings of an old loss that are kept, or that only say how the cross entropy was computed.
KEPT = {
    *('type', '_scope_', 'loss_weight', 'label_smooth_val', 'mode', 'num_classes', 'reduction', 'use_sigmoid'),
    *('use_soft', 'class_weight', 'gamma'),
}


def loss_config(name: str, old: Any, num_classes: int, sc_weight: float = 1.0) -> tuple[dict, list[str]]:
    """Return the config of a loss that keeps what it can of the old one, and one sentence for each thing it cannot.

    ``loss_weight`` and ``class_weight`` are kept; only POD Loss also keeps label smoothing. The ``gamma`` of a focal
    loss becomes ``focal_gamma``, or in POD Loss and its variants is added to ``power``, the exponent of the cosine
    term. ``old`` is the old head's ``loss``: a config, a list of them, or None.

    Raises:
        TypeError: A setting has a wrong type.
        ValueError: A setting is out of range, or is for several labels per image.
    """
    first, notes = _first(old)
    kind, old_name = resolve(first['type'], HOST_MODELS), type_name(first)
    recipes: dict[str, dict] = {**CENTROID_LOSSES, **LEARNED_LOSSES}
    loss = dict(recipes[name])
    is_pod = issubclass(MODELS.get(loss['type']), PODLoss)
    if name == 'pod':
        loss['sc_weight'] = sc_weight
    if not is_a(kind, (CrossEntropyLoss, LabelSmoothLoss)):
        notes.append(f'{old_name} is dropped.')
    if (amount := first.get('label_smooth_val')) and is_a(kind, LabelSmoothLoss):
        mode = first.get('mode', 'original')
        if mode == 'multi_label':
            raise ValueError(
                "Expected label smoothing whose weights sum to one, but got mode='multi_label', which is for several "
                "labels per image. Set mode='original' in the loss."
            )
        if is_pod:
            loss['label_smooth_val'] = amount / (1 + amount) if mode == 'classy_vision' else amount
        else:
            notes.append(f'label_smooth_val={amount} of {old_name} is dropped: only POD Loss has it.')
    if first.get('reduction', 'mean') != 'mean':
        reduction = first['reduction']
        notes.append(f'reduction={reduction!r} of {old_name} is dropped: the new loss is a mean over the images.')
    if first.get('loss_weight', 1.0) != 1.0:
        loss['loss_weight'] = first['loss_weight']
    if first.get('class_weight') is not None:
        loss['class_weight'] = [float(weight) for weight in first['class_weight']]
        if len(loss['class_weight']) != num_classes:
            raise ValueError(
                f'Expected `class_weight` of {old_name} to hold num_classes = {num_classes} numbers, but got '
                f'{len(loss["class_weight"])}.'
            )
    if gamma := first.get('gamma', 2.0 if is_a(kind, FocalLoss) else None):
        loss.update(dict(power=loss.get('power', 2) + gamma) if is_pod else dict(focal_gamma=gamma))
    sizes = dict(num_classes=num_classes, feat_dim=1) if name == 'center' else {}
    MODELS.build(dict(loss, **sizes))  # refuses bad settings now
    dropped = sorted(key for key in first if key not in KEPT and first[key] is not None)
    return loss, notes + [
        f'{key}={first[key]!r} of {old_name} is dropped: the new loss has no such setting.' for key in dropped
    ]


def _first(old: Any) -> tuple[dict, list[str]]:
    """Return the classification loss of a list, and notes on the others, which are dropped."""
    items = old if isinstance(old, (list, tuple)) else [old]
    losses = [dict(dict(type='CrossEntropyLoss'), **(item or {})) for item in items or [None]]
    host = (CrossEntropyLoss, LabelSmoothLoss, FocalLoss)
    known = [item for item in losses if is_a(resolve(item['type'], HOST_MODELS), host)]
    first = (known or losses)[0]
    return first, [f'{type_name(item)} is dropped: only one loss is kept.' for item in losses if item is not first]
