"""From the words of a command line to studies, tables and figures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

from mmpod.experiments.catalogue import Setting
from mmpod.experiments.own_tables import FIGURES, TABLES
from mmpod.experiments.studies import STUDIES, setting_of

__all__ = ['Selection', 'select']


@dataclass(frozen=True)
class Selection:
    """What the words of a command line name.

    Attributes:
        settings: What there is to run, each once. What an evaluation needs comes before it.
        tables: Names of the tables to show.
        figures: Names of the figures to show.
    """

    settings: Sequence[Setting]
    tables: Sequence[str]
    figures: Sequence[str]


def with_sources(settings: Iterable[Setting]) -> list[Setting]:
    """Return settings, each once, with the trainings that evaluations need before them."""
    found: dict[str, Setting] = {}
    for setting in settings:
        if setting.source:
            found.setdefault(setting.source, setting_of(setting.source))
        found.setdefault(setting.key, setting)
    return list(found.values())


def select(words: Sequence[str]) -> Selection:
    """Return what ``words`` name: studies (``small``), tables (``I``), figures (``fig5``), or patterns of settings
    (``small/pod*``) or of configs (``pod_resnet50_*``); everything without words.

    Raises:
        ValueError: A word names nothing.
    """
    everything = [setting for study in STUDIES.values() for setting in study.settings.values()]
    if not words:
        return Selection(with_sources(everything), list(TABLES), list(FIGURES))
    settings: list[Setting] = []
    tables: list[str] = []
    figures: list[str] = []
    for word in words:
        known = True
        if word in STUDIES:
            settings += STUDIES[word].settings.values()
            tables += [
                name for name, table in TABLES.items() if any(c.runs.startswith(f'{word}/') for c in table.cells)
            ]
        elif word in TABLES:
            settings += [setting_of(cell.runs) for cell in TABLES[word].cells if cell.key is None]
            tables.append(word)
        else:
            known = False
        if word in FIGURES:
            settings += [setting_of(cell.runs) for cell in FIGURES[word].cells]
            figures.append(word)
        elif not known:
            found = [one for one in everything if fnmatch(one.key, word)]
            of_config = [one for one in everything if fnmatch(one.config, word)]
            # A config by its name is the config as it is, where a study has it so.
            found = found or [one for one in of_config if not one.overrides] or of_config
            if not found:
                raise ValueError(
                    f'Expected a study ({", ".join(STUDIES)}), a table, a figure, a config or a pattern such as '
                    f'`small/pod*`, but got {word!r}. `tools/experiments.py list` shows all.'
                )
            settings += found
            keys = {one.key for one in found}
            tables += [name for name, table in TABLES.items() if any(cell.runs in keys for cell in table.cells)]
    return Selection(with_sources(settings), list(dict.fromkeys(tables)), list(dict.fromkeys(figures)))
