"""From the words of a command line to experiments."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

from mmpod.experiments.catalogue import CHECKPOINT_OF, FIGURES, TABLES
from mmpod.experiments.cells import Cell

__all__ = ['Selection', 'all_configs', 'select']


def all_configs() -> list[str]:
    """Return the name of every config in a table, each once, in the order of the tables."""
    return list(dict.fromkeys(config for table in TABLES.values() for config in table.configs))


@dataclass(frozen=True)
class Selection:
    """What the words of a command line name.

    Attributes:
        configs: What there is to run, each once. What an evaluation needs comes before it.
        cells: By table, the cells to show.
        figures: Names of the figures to show.
    """

    configs: Sequence[str]
    cells: dict[str, Sequence[Cell]]
    figures: Sequence[str]


def select(words: Sequence[str]) -> Selection:
    """Return what ``words`` name: tables (``I``), figures (``fig5``), configs, patterns (``pod_*``); without words all.

    Raises:
        ValueError: A word names nothing.
    """
    words = words or [*TABLES, *FIGURES]
    configs, matched = [], []
    for word in words:
        if word in TABLES:
            configs += TABLES[word].configs
        elif word in FIGURES:
            configs += FIGURES[word].configs
        else:
            found = [config for config in all_configs() if fnmatch(config, word)]
            if not found:
                raise ValueError(
                    f'Expected a table ({", ".join(TABLES)}), a figure ({", ".join(FIGURES)}), the name of a config or '
                    f'a pattern such as `pod_*`, but got {word!r}. `tools/experiments.py list` shows all.'
                )
            configs += found
            matched += found
    needed = [CHECKPOINT_OF[config] for config in configs if config in CHECKPOINT_OF]
    cells = {
        name: [cell for cell in table.cells if name in words or cell.config in matched]
        for name, table in TABLES.items()
    }
    return Selection(
        list(dict.fromkeys([config for config in needed if config not in configs] + configs)),
        {name: chosen for name, chosen in cells.items() if chosen},
        [name for name in FIGURES if name in words],
    )
