"""Which configs classify an image into one of K classes, and why the others cannot have one centroid per class."""

from typing import Any, Optional, Union

from mmengine.config import Config, ConfigDict
from mmpretrain.models import (
    BaseClassifier,
    BaseRetriever,
    BaseSelfSupervisor,
    HuggingFaceClassifier,
    ImageClassifier,
    TimmClassifier,
)
from mmpretrain.models.heads import ClsHead, MultiLabelClsHead, MultiTaskHead
from mmpretrain.registry import MODELS

from mmpod.models import COTClassifier, PEDCCHead, PrototypeHead, PrototypeLoss
from mmpod.utils.config_parts import is_a, resolve, type_name

__all__ = ['check_convertible', 'check_version']

MIGRATION = 'https://mmpretrain.readthedocs.io/en/latest/migration.html'


def check_version(cfg: Config) -> None:
    """Raise a ValueError for a config of mmcls 0.x."""
    if cfg.get('train_dataloader') is None and (isinstance(cfg.get('data'), dict) or cfg.get('runner') is not None):
        raise ValueError(
            'Expected a config of mmpretrain 1.x, but this one has `data` or `runner` and no `train_dataloader`: it '
            f'is for mmcls 0.x. Migrate it first: {MIGRATION}.'
        )


def check_convertible(model: Any) -> tuple[type, type]:
    """Return the classes of a single-label image classifier and of its head, looked up in the current default scope.

    Args:
        model: The ``model`` of a config.

    Raises:
        ValueError: This is another kind of model; the message says which, and what to do.
    """
    if not isinstance(model, ConfigDict) or 'type' not in model:
        raise ValueError(
            'Expected the config to have a `model` with a `type`, but it has none. Choose a config with one.'
        )
    classifier = resolve(model.type, MODELS)
    head = model.get('head')
    if reason := _other_task(classifier, model.type):
        raise ValueError(f'Expected a single-label image classifier, but got {type_name(model)}: {reason}.')
    if is_a(classifier, COTClassifier):
        raise ValueError(
            'Expected a classifier with one loss, but got COTClassifier, which trains softmax and complement entropy '
            'alternately, with two optimizers. Convert its softmax config.'
        )
    if is_a(classifier, ImageClassifier) and not isinstance(model.get('backbone'), dict):
        raise ValueError(
            f'Expected the model to have a backbone, but got {model.get("backbone")!r}. Give it '
            "backbone=dict(type='ResNet', depth=18) or another."
        )
    if not isinstance(head, dict) or head.get('type') is None:
        if not is_a(classifier, ImageClassifier):
            raise ValueError(
                f'Expected the model to have a head, but the config of {type_name(model)} has none to replace. Let '
                "the class build `self.head` from head=dict(type='LinearClsHead', num_classes=..., in_channels=...)."
            )
        raise ValueError(
            'Expected the model to have a head, but it has none: this config extracts features and defines no '
            "classes. Give it head=dict(type='LinearClsHead', num_classes=..., in_channels=...) and data first."
        )
    head_class = resolve(head['type'], MODELS)
    if reason := _other_head(head_class, head):
        raise ValueError(f'Expected a single-label classification head, but got {type_name(head)}: {reason}.')
    return classifier, head_class


def _other_task(classifier: Any, name: Union[str, type]) -> Optional[str]:
    if classifier is None:
        return _unknown(name)
    if is_a(classifier, BaseRetriever):
        return 'it retrieves images and predicts no class; convert the classifier that trains its features'
    if is_a(classifier, BaseSelfSupervisor):
        return 'it is pre-trained without labels; convert the config that fine-tunes it'
    if is_a(classifier, (TimmClassifier, HuggingFaceClassifier)):
        return "its network contains the head; use ImageClassifier with backbone=dict(type='TIMMBackbone', ...)"
    if not is_a(classifier, BaseClassifier):
        return 'it is for another task, such as vision and language, and does not classify with a head'
    return None


def _other_head(head_class: Any, head: Any) -> Optional[str]:
    if head_class is None:
        return _unknown(head.type)
    if is_a(head_class, MultiTaskHead):
        return 'it is for several tasks, and each would need its own centroids'
    # With a softmax over the classes (`use_soft`), it is how mmpretrain trains on mixed labels of one class per image.
    loss = head.get('loss')
    if is_a(head_class, MultiLabelClsHead) and not (isinstance(loss, dict) and loss.get('use_soft')):
        return 'it is for several labels per image, and a feature can lie at one centroid only'
    if is_a(head_class, PEDCCHead):
        return 'it has already been converted'
    if isinstance(loss, dict) and is_a(resolve(loss.get('type'), MODELS), PrototypeLoss):
        if not is_a(head_class, PrototypeHead):
            own = f"{type_name(loss)} needs one of mmpod's heads"
            return f"{own}; leave the loss out and choose it with --loss, or set type='mmpod.PEDCCHead' yourself"
    if not is_a(head_class, (ClsHead, MultiLabelClsHead)):
        return 'it is not a classification head (ClsHead)'
    return None


def _unknown(name: Union[str, type]) -> str:
    if isinstance(name, str) and name.startswith('mmcls.'):
        return f'mmpretrain 1.x has replaced mmcls; write {name.replace("mmcls.", "mmpretrain.", 1)!r}'
    return 'it is not registered; add its module to `custom_imports`'
