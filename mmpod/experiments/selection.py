"""Resolve the words of a command line to settings, tables and figures."""

from collections.abc import Sequence
from fnmatch import fnmatch
from typing import NamedTuple

from mmpod.experiments.catalogue import Setting
from mmpod.experiments.studies import STUDIES, setting_of
from mmpod.experiments.tables import FIGURES, TABLES

__all__ = ['Selection', 'select']


class Selection(NamedTuple):
    """The settings to run, and the names of the tables and figures to show."""

    settings: Sequence[Setting]
    tables: Sequence[str]
    figures: Sequence[str]


def select(words: Sequence[str]) -> Selection:
    """Return what ``words`` name, or everything without words.

    A word is a study (``small``), a table (``I``), a figure (``fig5``), or a pattern of settings (``small/pod*``) or of
    configs (``pod_resnet50_*``). Each setting is returned once. The training that an evaluation needs comes before it.

    Raises:
        ValueError: A word names nothing.
    """
    settings: list[Setting] = []
    tables: list[str] = []
    figures: list[str] = []
    for word in words or ['*']:
        if word in FIGURES:
            settings += [setting_of(cell.runs) for cell in FIGURES[word].cells]
            figures.append(word)
        elif word in TABLES and word not in STUDIES:
            settings += [setting_of(cell.runs) for cell in TABLES[word].cells]
            tables.append(word)
        else:
            found = list(STUDIES[word].settings.values()) if word in STUDIES else matching(word)
            settings += found
            keys = {one.key for one in found}
            tables += [name for name, table in TABLES.items() if any(cell.runs in keys for cell in table.cells)]
    with_sources = [key for one in settings for key in (one.source, one.key) if key]
    return Selection(
        [setting_of(key) for key in dict.fromkeys(with_sources)],
        list(dict.fromkeys(tables)),
        list(dict.fromkeys(figures)) if words else list(FIGURES),
    )


def matching(pattern: str) -> list[Setting]:
    """Return the settings whose key, or otherwise whose config matches; of several for a config, the unchanged one."""
    everything = [setting for study in STUDIES.values() for setting in study.settings.values()]
    of_config = [one for one in everything if fnmatch(one.config, pattern)]
    unchanged = [one for one in of_config if not one.overrides]
    found = [one for one in everything if fnmatch(one.key, pattern)] or unchanged or of_config
    if not found:
        raise ValueError(
            f'Expected a study ({", ".join(STUDIES)}), a table, a figure, a config or a pattern such as '
            f'`small/pod*`, but got {pattern!r}. `tools/experiments.py list` shows all.'
        )
    return found
