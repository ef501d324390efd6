"""The settings of a run, that is, its config with all overrides, and whether they have changed."""

import copy
import functools
import hashlib
import json
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional

from mmengine.config import Config

from mmpod.engine.command_line import apply_options, read_config
from mmpod.utils.errors import UserError

__all__ = ['resolved_config', 'settings_hash', 'settings_of']

# What the arguments of the command lines set.
ARGUMENTS = {'randomness.seed': '--seeds', 'work_dir': '--work-dir'}
LOADING = threading.Lock()


@functools.lru_cache(maxsize=None)
def _load(config: Path) -> Config:
    with LOADING:  # MMEngine changes the interpreter's state while it loads
        return read_config(config)


def resolved_config(config: Path, overrides: Sequence[str] = (), fresh: bool = False) -> Config:
    """Return a config with its overrides. The file is read once per process, and again if ``fresh``.

    Raises:
        UserError: The file is not a config, or an override is refused.
    """
    for option in overrides:
        if argument := ARGUMENTS.get(option.partition('=')[0]):
            raise UserError(f'Expected {argument} to set this for all runs, but got --cfg-options {option}.')
    if fresh:
        _load.cache_clear()
    cfg = copy.deepcopy(_load(Path(config)))
    apply_options(cfg, overrides)
    return cfg


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
