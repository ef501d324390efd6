"""Build the classifier of a config, with or without the weights of a checkpoint."""

import copy
from pathlib import Path
from typing import Any, Union

import mmpretrain
from mmengine.config import Config
from mmpretrain.apis import ModelHub
from mmpretrain.models.heads import MultiLabelClsHead, MultiTaskHead
from torch import nn

from mmpod.engine.checkpoints import checkpoint_classes, load_weights
from mmpod.engine.class_names import configured_classes
from mmpod.utils.errors import UserError

__all__ = ['build_model', 'check_one_label', 'get_model']


def build_model(model: Union[str, Path, Config], **kwargs: Any) -> Any:
    """Return a classifier without weights, as mmpretrain's ``get_model`` does, even for a pure Python config.

    For such a config ``get_model`` fails, because it looks up the class of the test set by its name.
    """
    if isinstance(model, (str, Path)) and Path(model).suffix == '.py':
        model = Config.fromfile(model)
    if not isinstance(model, Config):
        return mmpretrain.get_model(model, **kwargs)
    model = copy.deepcopy(model)
    test_dataloader = model.pop('test_dataloader', None)
    classifier = mmpretrain.get_model(model, **kwargs)
    if test_dataloader is not None:
        classifier._config.test_dataloader = test_dataloader
    return classifier


def check_one_label(model: nn.Module) -> None:
    """Raise a TypeError for a model whose head gives several labels per image."""
    head = getattr(model, 'head', None)
    if isinstance(head, (MultiLabelClsHead, MultiTaskHead)):
        raise TypeError(
            f'Expected a head that gives one label per image, but got {type(head).__name__}, which gives several. Use '
            'a single-label classifier.'
        )


def get_model(
    model: Union[str, Path, Config],
    pretrained: Union[str, Path, bool] = True,
    allow_missing: bool = False,
    **kwargs: Any,
) -> nn.Module:
    """Return a classifier with all weights of a checkpoint; mmpretrain's ``get_model`` only logs what does not fit.

    Args:
        model: Name, file or content of a config.
        pretrained: Its checkpoint; True takes the weights that are published under the name, such as those of
            ``'pod_resnet18w8_digits'``, which ship with mmpod, or ``load_from`` of a config.
        allow_missing: Load what fits and leave the rest as it is, even if the normalisation of images has changed.
        **kwargs: Passed to mmpretrain's ``get_model``: ``device``, or changes to the model.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        UserError: No checkpoint is known; or it is not one, does not hold exactly the weights of the model, or was
            trained on images that were normalised differently.
    """
    device = kwargs.pop('device', None)
    # To find a name, the hub itself first reads mmpretrain's index, which a fork installed with `pip install -e` hides.
    known = ModelHub._models_dict.get(model.lower()) if isinstance(model, str) else None
    classifier = build_model(model if known is None else known.config, **kwargs)
    checkpoint: Any = pretrained
    if pretrained is True:
        checkpoint = getattr(known or classifier._metainfo, 'weights', None) or classifier._config.get('load_from')
    if not checkpoint:
        name = model.filename if isinstance(model, Config) else model
        raise UserError(
            f'Expected `pretrained` to name the checkpoint of `{name}`, because no weights are published under that '
            'name. For a model with random weights use mmpretrain.get_model.'
        )
    classes = checkpoint_classes(load_weights(classifier, checkpoint, allow_missing))
    if classes is None and classifier._config.get('test_dataloader') is not None:
        # mmpretrain takes the names of the dataset's class, even if the config gives others.
        classes = configured_classes(classifier._config.test_dataloader.dataset)
    classifier._dataset_meta = dict(classifier._dataset_meta, classes=classes)
    return classifier if device is None else classifier.to(device)
