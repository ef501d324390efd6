"""Compare lists of class names. A label is a position in such a list, so different lists make accuracies wrong."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional

from mmpretrain.registry import DATASETS

from mmpod.datasets.file_pipeline import inner_datasets
from mmpod.utils.config_parts import resolve
from mmpod.utils.errors import UserError

__all__ = ['check_same_classes', 'configured_classes', 'dataset_classes']

SHOWN = 20


def dataset_classes(dataset: object) -> Optional[list[str]]:
    """Return the names of a dataset's classes, in the order of its labels; None if it has none."""
    classes = (getattr(dataset, 'metainfo', None) or {}).get('classes')
    return None if classes is None else list(classes)


def configured_classes(dataset: dict) -> Optional[list[str]]:
    """Return the names of the classes of a dataset that is not built, or None if its config does not give them.

    Like mmpretrain's datasets, it reads ``metainfo.classes``, then ``classes``, then the ``METAINFO`` of the class; a
    string is a file of one name per line.

    Args:
        dataset: Config of a dataset; of a wrapper, the first dataset inside counts.
    """
    inner, _ = next(inner_datasets(dataset))
    default = getattr(resolve(inner.get('type'), DATASETS), 'METAINFO', {})
    classes = (inner.get('metainfo') or {}).get('classes') or inner.get('classes') or default.get('classes')
    if isinstance(classes, str):
        file = Path(classes).expanduser()
        classes = file.read_text(encoding='utf-8').splitlines() if file.is_file() else None
    return None if classes is None else list(classes)


def check_same_classes(lists: Mapping[str, Optional[Sequence[str]]]) -> None:
    """Refuse lists of classes that are not all the same.

    Args:
        lists: The class names in the order of the labels, or None if unknown, by source, such as
            ``'val_dataloader'``.

    Raises:
        UserError: Two lists differ in length, names or order.

    Examples:
        >>> check_same_classes({'train_dataloader': ['cat', 'dog'], 'val_dataloader': ('cat', 'dog'), 'file': None})
    """
    known = [(source, list(classes)) for source, classes in lists.items() if classes is not None]
    for source, classes in known[1:]:
        first, expected = known[0]
        if classes != expected:
            raise UserError(
                f'Expected the classes of {source} to be those of {first}, but got {_difference(classes, expected)}. '
                'Labels are positions in these lists, so one model cannot serve both. Give both the same classes, '
                'by the same folders or by `metainfo=dict(classes=[...])`. If only the names differ, switch this check '
                'off: --cfg-options default_hooks.check_data=None.'
            )


def _difference(classes: list[str], expected: list[str]) -> str:
    if max(len(classes), len(expected)) <= SHOWN:
        return f'{classes} instead of {expected}'
    pairs = zip([*classes, None], [*expected, None])
    index = next(index for index, (name, other) in enumerate(pairs) if name != other)
    names = [repr(names[index]) if index < len(names) else 'nothing' for names in (classes, expected)]
    return f'{len(classes)} classes instead of {len(expected)}, the first difference at label {index}: ' + (
        f'{names[0]} instead of {names[1]}'
    )
