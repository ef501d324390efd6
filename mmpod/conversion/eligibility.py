"""Which configs classify an image into one of K classes, and why the others cannot have one centroid a class."""

from typing import Any, Optional

from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.models import BaseRetriever, BaseSelfSupervisor, ImageClassifier
from mmpretrain.models.heads import ClsHead, MultiLabelClsHead, MultiTaskHead
from mmpretrain.registry import MODELS

from mmpod.models import COTClassifier, PEDCCHead

__all__ = ['check_convertible']


def check_convertible(cfg: Config, model: Optional[dict]) -> type:
    """Return the class of the head of a single-label image classifier.

    Args:
        cfg: The config, whose ``default_scope`` names are looked up in.
        model: Its ``model``.

    Raises:
        ValueError: This is none; the message says what it is, and what to do.
    """
    if not isinstance(model, dict) or 'type' not in model:
        raise ValueError('Expected the config to have `model` with a `type`, but it has none: it trains no network.')
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmpretrain')):
        classifier = model.type if isinstance(model.type, type) else MODELS.get(model.type)
        if not _is_a(classifier, ImageClassifier):
            raise ValueError(
                f'Expected a single-label ImageClassifier, but got model.type={model.type!r}: '
                f'{_other_task(classifier, model.type)}.'
            )
        if _is_a(classifier, COTClassifier):
            raise ValueError(
                'Expected a classifier of one loss, but got COTClassifier, which trains softmax and complement entropy '
                'in turns, with two optimizers. Convert its softmax config.'
            )
        if not isinstance(model.get('backbone'), dict):
            raise ValueError(
                f'Expected the model to have a backbone, but got {model.get("backbone")!r}. Give it '
                "backbone=dict(type='ResNet', depth=18) or another."
            )
        head = model.get('head')
        if not isinstance(head, dict) or head.get('type') is None:
            raise ValueError(
                'Expected the model to have a head, but it has none: this config extracts features, and knows no '
                "classes. Give it head=dict(type='LinearClsHead', num_classes=..., in_channels=...) and data first."
            )
        head_class = head.type if isinstance(head.type, type) else MODELS.get(head.type)
    name = getattr(head_class, '__name__', head.type)
    reason = None
    if head_class is None:
        reason = 'it is in no registry; name its module in `custom_imports`'
    elif issubclass(head_class, MultiTaskHead):
        reason = 'it is for several tasks, and each would need centroids of its own'
    elif issubclass(head_class, MultiLabelClsHead) and not (head.get('loss') or {}).get('use_soft'):
        # With a softmax over the classes it is mmpretrain's way to train on mixed labels, of one class an image.
        reason = 'it is for several labels an image, and a feature can lie at one centroid only'
    elif issubclass(head_class, PEDCCHead):
        reason = 'it has been converted already'
    elif not issubclass(head_class, (ClsHead, MultiLabelClsHead)):
        reason = 'it is no classification head (ClsHead)'
    if reason is not None:
        raise ValueError(f'Expected a single-label classification head, but got {name}: {reason}.')
    return head_class


def _other_task(classifier: Optional[type], name: str) -> str:
    if classifier is None:
        return 'it is in no registry; name its module in `custom_imports`'
    if _is_a(classifier, BaseRetriever):
        return 'it retrieves images and predicts no class; convert the classifier that trains its features'
    if _is_a(classifier, BaseSelfSupervisor):
        return 'it is pre-trained without labels; convert the config that fine-tunes it'
    if name in ('TimmClassifier', 'HuggingFaceClassifier'):
        return "its network has the head inside; use ImageClassifier with backbone=dict(type='TIMMBackbone', ...)"
    return 'it is for another task, such as text and images together, and predicts no class with a head'


def _is_a(item: Any, base: type) -> bool:
    # Without its extra packages mmpretrain registers functions in place of multimodal models.
    return isinstance(item, type) and issubclass(item, base)
