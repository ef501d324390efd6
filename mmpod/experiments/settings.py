"""The settings of a run, that is, its config with all overrides, and whether they have changed."""

import argparse
import copy
import functools
import hashlib
import json
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Optional

from mmengine.config import Config, DictAction

from mmpod.engine.config_keys import READ
from mmpod.utils.errors import did_you_mean

__all__ = ['check_effect', 'parse_overrides', 'resolve', 'settings_hash', 'settings_of']

# `custom_imports` take effect before overrides.
TOP_LEVEL = READ - {'custom_imports'}
LOADING = threading.Lock()


def parse_overrides(options: Sequence[str]) -> dict:
    """Return ``--cfg-options`` as the runs will read them.

    Raises:
        ValueError: One of them is not of the form ``key=value``, or sets the seed or the work directory.
    """
    for option in options:
        key, separator, _ = option.partition('=')
        if not key or not separator:
            raise ValueError(f'Expected --cfg-options to be KEY=VALUE, but got {option!r}.')
        if key == 'randomness.seed':
            raise ValueError(f'Expected --seeds to set the seeds of the runs, but got --cfg-options {option}.')
        if key == 'work_dir':
            raise ValueError(f'Expected --work-dir to set where the runs go, but got --cfg-options {option}.')
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='*', action=DictAction, default={})
    return parser.parse_args(['--cfg-options', *options]).cfg_options


@functools.lru_cache(maxsize=None)
def _load(config: Path) -> Config:
    with LOADING:  # MMEngine changes the interpreter's state while it loads
        return Config.fromfile(config)


def resolve(config: Path, overrides: Sequence[str] = (), fresh: bool = False) -> Config:
    """Return a config with its overrides. The file is read once per process, and again if ``fresh``.

    Raises:
        ValueError: An override does not fit the config, or has a key that nothing reads.
    """
    if fresh:
        _load.cache_clear()
    cfg, parsed = copy.deepcopy(_load(Path(config))), parse_overrides(overrides)
    for option in overrides:
        _check_key(cfg, option)
    try:
        cfg.merge_from_dict(parsed)
    except (KeyError, IndexError, TypeError, AssertionError) as error:
        raise ValueError(f'Expected the options {list(overrides)} to fit {config}, but: {error}') from error
    return cfg


def _check_key(cfg: Config, option: str) -> None:
    """Refuse a top-level key that nothing reads, and a new nested key that resembles an existing one."""
    top, *rest = option.partition('=')[0].split('.')
    if top not in TOP_LEVEL:
        hint = ' It is a variable of the config file: override the places where its value is used.'
        raise ValueError(
            f'Expected `{option}` to change a setting, but nothing reads `{top}`.'
            f'{hint if top in cfg else _hint(top, TOP_LEVEL)}'
        )
    node = cfg.get(top)
    for part in rest:
        if isinstance(node, (list, tuple)) and part.isdecimal() and int(part) < len(node):
            node = node[int(part)]
        elif isinstance(node, Mapping) and part in node:
            node = node[part]
        else:
            hint = _hint(part, map(str, node)) if isinstance(node, Mapping) else ''
            if hint:
                raise ValueError(f'Expected `{option}` to change a setting, but there is no `{part}`.{hint}')
            return


def _hint(name: str, known: Iterable[str]) -> str:
    """Return a "did you mean" hint for a misspelt name, but not for names that differ only in digits."""
    guess = did_you_mean(name, known, cutoff=0.85)
    if guess is None or re.sub(r'\d', '', guess) == re.sub(r'\d', '', name):
        return ''
    return f' Did you mean `{guess}`?'


def check_effect(configs: Sequence[Path], options: Sequence[str], trials: Sequence[Sequence[str]] = ((),)) -> None:
    """Refuse options that change none of the configs, and trials that are identical for one of them.

    Args:
        configs: The configs.
        options: ``key=value`` overrides of all of them.
        trials: The overrides of each point of a grid; they are applied after ``options``.

    Raises:
        ValueError: An option or a trial is refused.
    """
    for index, option in enumerate(options):
        others = [*options[:index], *options[index + 1 :]]
        if all(
            settings_of(resolve(config, [*options, *trial])) == settings_of(resolve(config, [*others, *trial]))
            for config in configs
            for trial in trials
        ):
            raise ValueError(
                f'Expected every option to change something, but `{option}` changes nothing in '
                f'{", ".join(config.stem for config in configs)}. Leave it out, or check its key.'
            )
    for config in configs:
        seen: dict[str, Sequence[str]] = {}
        for trial in trials:
            settings = settings_hash(settings_of(resolve(config, [*options, *trial])))
            if settings in seen:
                raise ValueError(
                    f'Expected all points of --grid to differ, but {list(seen[settings])} and {list(trial)} give the '
                    f'same settings of {config.stem}. Leave one of them out.'
                )
            seen[settings] = trial


def settings_of(cfg: Config, seed: Optional[int] = None) -> dict:
    """Return what identifies a run: the config as plain JSON data, without its work directory, and the run's seed.

    Formatting, comments, the order of keys and of imports, and tuples for lists make no difference.
    """
    settings = _plain({key: value for key, value in cfg.items() if key != 'work_dir'})
    if seed is not None:
        settings['randomness'] = {**(settings.get('randomness') or {}), 'seed': seed}
    imports = settings.get('custom_imports')
    if isinstance(imports, dict) and isinstance(imports.get('imports'), list):
        imports['imports'] = sorted(imports['imports'])
    return settings


def settings_hash(settings: dict) -> str:
    """Return a fingerprint of settings.

    Example:
        >>> settings_hash({'a': 1, 'b': [2]}) == settings_hash({'b': [2], 'a': 1}) != settings_hash({'a': 1, 'b': [3]})
        True
    """
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def _plain(value):
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    name = getattr(value, '__qualname__', None)
    return f'{value.__module__}.{name}' if name else re.sub(r' at 0x\w+', '', repr(value))
