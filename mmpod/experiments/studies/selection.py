"""Resolve the words of a command line to settings, tables and figures."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatch

from mmpod.experiments.studies.catalogue import STUDIES, setting_of
from mmpod.experiments.studies.definitions import Setting
from mmpod.experiments.studies.tables import FIGURES, TABLES

__all__ = ['matching', 'select']


def select(words: Sequence[str]) -> list[Setting]:
    """Return the settings that ``words`` name, or all without words.

    A word is a study (``small``), a table (``I``), a figure (``fig5``) or a pattern of settings (``small/pod*``). Each
    setting is returned once. The training that an evaluation needs comes before it.

    Raises:
        ValueError: A word names nothing, or a study that its recorded runs define, but `results/` is absent.
    """
    keys: list[str] = []
    for word in words or ['*']:
        if word in STUDIES:
            if not STUDIES[word].settings:
                raise ValueError(f'Expected the runs of {word} in `results/`, but it is absent. Use a clone of mmpod.')
            keys += [setting.key for setting in STUDIES[word].settings.values()]
        elif word in TABLES or word in FIGURES:
            keys += [cell.runs for cell in (TABLES.get(word) or FIGURES[word]).cells]
        else:
            everything = [setting.key for study in STUDIES.values() for setting in study.settings.values()]
            keys += matching(word, everything, 'a study, a table, a figure, a setting')
    with_sources = [one for key in keys for one in (setting_of(key).source, key) if one]
    return [setting_of(key) for key in dict.fromkeys(with_sources)]


def matching(pattern: str, names: Iterable[str], kinds: str) -> list[str]:
    """Return the names that match a pattern; ``kinds`` says in the error what they are.

    Raises:
        ValueError: None does.
    """
    found = [name for name in names if fnmatch(name, pattern)]
    if not found:
        raise ValueError(
            f'Expected {kinds} or a pattern, but got {pattern!r}. `tools/experiments.py list` shows all names.'
        )
    return found
