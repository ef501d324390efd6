"""Compare lists of class names. A label is a position in such a list, so different lists make accuracies wrong."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, Optional

from mmpretrain.registry import DATASETS

from mmpod.utils.config_parts import inner_datasets, resolve
from mmpod.utils.errors import UserError

__all__ = ['check_same_classes', 'configured_classes', 'dataset_classes', 'dataset_folders']


def dataset_classes(dataset: object) -> Optional[list[str]]:
    """Return the names of a dataset's classes, in the order of its labels; None if it has none."""
    classes = (getattr(dataset, 'metainfo', None) or {}).get('classes')
    return None if classes is None else list(classes)


def dataset_folders(dataset: Any) -> Optional[list[str]]:
    """Return the folders whose positions are a dataset's labels, whatever names ``metainfo`` gives the classes.

    None if the labels come from elsewhere.

    Raises:
        UserError: The datasets inside a wrapper have different folders.
    """
    parts = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if parts[0] is None:
        folders = getattr(dataset, 'folder_to_idx', None)
        return None if folders is None else list(folders)
    lists = {
        f'dataset {number} of {type(dataset).__name__}': dataset_folders(part) for number, part in enumerate(parts)
    }
    check_same_classes(lists)
    return next((folders for folders in lists.values() if folders is not None), None)


def configured_classes(dataset: dict) -> Optional[list[str]]:
    """Return the names of the classes of a dataset that is not built, or None if its config does not give them.

    Like mmpretrain's datasets, it reads ``metainfo.classes``, then ``classes``, then the ``METAINFO`` of the class; a
    string is a file of one name per line.

    Args:
        dataset: Config of a dataset; for a wrapper, the first dataset inside it counts.
    """
    inner, _ = next(inner_datasets(dataset))
    default = getattr(resolve(inner.get('type'), DATASETS), 'METAINFO', {})
    classes = (inner.get('metainfo') or {}).get('classes') or inner.get('classes') or default.get('classes')
    if isinstance(classes, str):
        file = Path(classes).expanduser()
        classes = file.read_text(encoding='utf-8').splitlines() if file.is_file() else None
    return None if classes is None else list(classes)


def check_same_classes(lists: Mapping[str, Optional[Sequence[str]]], way_out: str = '') -> None:
    """Refuse lists of classes that are not all the same.

    Args:
        lists: The class names in the order of the labels, or None if unknown, by source, such as
            ``'val_dataloader'``.
        way_out: Another way out for the user, appended to the message.

    Raises:
        UserError: Two lists differ in length, names or order.

    Examples:
        >>> check_same_classes({'train_dataloader': ['cat', 'dog'], 'val_dataloader': ('cat', 'dog'), 'file': None})
    """
    known = [(source, list(classes)) for source, classes in lists.items() if classes is not None]
    for source, classes in known[1:]:
        first, expected = known[0]
        if classes != expected:
            pairs = enumerate(zip_longest(classes, expected))
            label, name, other = next((label, *pair) for label, pair in pairs if pair[0] != pair[1])
            raise UserError(
                f'Expected the classes of {source} to be those of {first}, but got {len(classes)} classes instead of '
                f'{len(expected)}, the first difference at label {label}: {name!r} instead of {other!r}. '
                'Labels are positions in these lists, so one model cannot serve both. Give both the same classes in '
                'one order: rename the folders, or give the label of each image in an `ann_file`; `metainfo` only '
                f'changes the names.{way_out}'
            )
