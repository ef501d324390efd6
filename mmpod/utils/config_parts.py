"""Read parts of a config: what a ``type`` refers to, loaders, datasets inside wrappers, and the preprocessor."""

from collections.abc import Iterator
from typing import Any, Union

import mmpretrain.registry
from mmengine.registry import Registry

__all__ = ['classes_named', 'inner_datasets', 'is_a', 'loaders_of', 'preprocessor_of', 'resolve', 'type_name']


def resolve(name: Union[str, type, None], registry: Registry) -> Any:
    """Return what a config's ``type`` refers to: the class itself, what the Runner finds under the name, or None.

    Args:
        name: A class, or a registered name with or without a scope, such as ``'mmpretrain.ResNet'``.
        registry: Where to look, starting in the current default scope.
    """
    if not isinstance(name, str):
        return name
    with registry.switch_scope_and_registry(None) as scoped:
        return scoped.get(name)


def classes_named(name: Union[str, type, None]) -> set:
    """Return what a config's ``type`` refers to in any registry, see :func:`resolve`; a set, as a rule of one."""
    registries = [found for found in vars(mmpretrain.registry).values() if isinstance(found, Registry)]
    return {resolve(name, registry) for registry in registries} - {None}


def type_name(part: dict) -> str:
    """Return the name of the class that the ``type`` of a part of a config refers to, without its scope.

    Examples:
        >>> type_name(dict(type='mmpretrain.ResNet', depth=18))
        'ResNet'
        >>> type_name(dict(type=Registry))
        'Registry'
    """
    kind = part.get('type')
    return kind.__name__ if isinstance(kind, type) else str(kind).rpartition('.')[2]


def is_a(found: Any, bases: Union[type, tuple[type, ...]]) -> bool:
    """Return whether what :func:`resolve` has found is one of these classes or inherits from one.

    It need not be a class: without its extra packages mmpretrain registers functions in place of multimodal models.
    """
    return isinstance(found, type) and issubclass(found, bases)


def loaders_of(cfg: dict) -> Iterator[tuple[str, Any]]:
    """Yield names and settings of the data loaders that a config has: training, validation, test."""
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(name) is not None:
            yield name, cfg[name]


def preprocessor_of(cfg: dict) -> Any:
    """Return the ``data_preprocessor`` that a model gets, its own or the config's; an empty dict if there is none."""
    return (cfg.get('model') or {}).get('data_preprocessor') or cfg.get('data_preprocessor') or {}


def inner_datasets(dataset: dict, outer: tuple = ()) -> Iterator[tuple[dict, list]]:
    """Yield the configs of the datasets inside wrappers, such as ``ConcatDataset``, and their pipelines.

    Args:
        dataset: Config of a dataset.
        outer: Transforms of the wrappers around it, which are applied last.
    """
    pipeline = (*(dataset.get('pipeline') or ()), *outer)
    parts = dataset.get('datasets') or [dataset.get('dataset')]
    if not all(isinstance(part, dict) for part in parts):  # it may be the name of a dataset, for example
        yield dataset, list(pipeline)
        return
    for part in parts:
        yield from inner_datasets(part, pipeline)
