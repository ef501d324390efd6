"""Grids of settings, for ``tools/tune.py`` and for studies."""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mmpod.engine.command_line import parse_options

__all__ = ['Trial', 'expand', 'parse_grid']

# A value: text without commas, except within brackets.
VALUE = re.compile(r'(?:[^,()\[\]]|\([^()]*\)|\[[^\[\]]*\])+')


class Trial(NamedTuple):
    """One point of a grid."""

    name: str  # short and usable as a folder name, such as `lr=0.1,loss_weight=5`
    overrides: tuple[str, ...]  # `key=value` as in `--cfg-options`


def expand(grid: Mapping[str, Sequence]) -> list[Trial]:
    """Return every combination of the values of all keys; an empty grid has a single one, without overrides.

    Args:
        grid: The values to try for each key of a config: Python literals, or strings as in ``--cfg-options``.

    Raises:
        ValueError: A key has no values or a repeated one, or ends like another key.

    Example:
        >>> expand({'optim_wrapper.optimizer.lr': [0.1, 0.3], 'model.head.loss.power': [2]})[1]
        Trial(name='lr=0.3,power=2', overrides=('optim_wrapper.optimizer.lr=0.3', 'model.head.loss.power=2'))
    """
    short = {key: key.rpartition('.')[2] for key in grid}
    if len(set(short.values())) < len(short):
        raise ValueError(f'Expected the keys of a grid to end differently, but got {[*short.values()]}.')
    axes = []
    for key, values in grid.items():
        words = [str(value) for value in values]
        folders = {word.replace('/', '_') for word in words}
        read = [parse_options([f'{key}={word}'])[key] for word in words]  # the same for 0.1 and 0.10
        if not words or '' in words or len(folders) < len(words) or any(read.count(value) > 1 for value in read):
            raise ValueError(
                f'Expected `{key}` of a grid to have values that differ, and not only in spelling or slashes, but got '
                f'{words}.'
            )
        axes.append([(key, word) for word in words])
    return [
        Trial(
            ','.join(f'{short[key]}={word}' for key, word in point).replace('/', '_'),
            tuple(f'{key}={word}' for key, word in point),
        )
        for point in itertools.product(*axes)
    ]


def parse_grid(words: Sequence[str]) -> list[Trial]:
    """Return the trials of a grid given on the command line.

    Args:
        words: ``key=value,value,...``, keys and values as in ``--cfg-options``, such as
            ``param_scheduler.milestones=[6,9],[3,9]``.

    Raises:
        ValueError: A word does not have this form, or :func:`expand` refuses the grid.
    """
    grid = {}
    for word in words:
        key, _, values = word.partition('=')
        separate = VALUE.findall(values)
        if not key or key in grid or not values or ','.join(separate) != values:
            raise ValueError(
                'Expected --grid to be KEY=VALUE,VALUE,... with different keys and at most one level of brackets per '
                f'value, but got {word!r}.'
            )
        grid[key] = separate
    return expand(grid)
