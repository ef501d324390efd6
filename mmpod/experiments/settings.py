"""The settings of a run: its config with all overrides, and whether they are still those that it was made with."""

import argparse
import copy
import difflib
import functools
import hashlib
import inspect
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config, DictAction
from mmengine.runner import FlexibleRunner, Runner

__all__ = ['check_effect', 'differences', 'parse_overrides', 'resolve', 'settings_hash', 'settings_of']

# What the runners and mmpretrain's tools read of a config.
TOP_LEVEL = {
    *inspect.signature(Runner.__init__).parameters,
    *inspect.signature(FlexibleRunner.__init__).parameters,
    *('activation_checkpointing', 'compile', 'custom_imports', 'efficient_conv_bn_eval', 'find_unused_parameters'),
    *('model_wrapper_cfg', 'runner_type', 'sync_bn', 'tta_model', 'tta_pipeline'),
} - {'self', 'cfg'}
SIMILAR = 0.85  # from which difflib's ratio on one name counts as a misspelling of another
SHOWN = 10


def parse_overrides(options: Sequence[str]) -> dict:
    """Return ``--cfg-options`` as the runs will read them.

    Raises:
        ValueError: One of them is not of the form ``key=value``, or sets the seed, which each run has of its own.
    """
    for option in options:
        key, separator, _ = option.partition('=')
        if not key or not separator:
            raise ValueError(f'Expected --cfg-options to be KEY=VALUE, but got {option!r}.')
        if key == 'randomness.seed':
            raise ValueError(f'Expected --seeds to set the seeds of the runs, but got --cfg-options {option}.')
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='*', action=DictAction, default={})
    return parser.parse_args(['--cfg-options', *options]).cfg_options


@functools.lru_cache(maxsize=None)
def _load(config: Path) -> Config:
    return Config.fromfile(config)


def resolve(config: Path, overrides: Sequence[str] = ()) -> Config:
    """Return a config with its overrides. The file is read once per process.

    Raises:
        ValueError: An override does not fit the config, or has a key that nothing reads.
    """
    cfg, parsed = copy.deepcopy(_load(Path(config))), parse_overrides(overrides)
    for option in overrides:
        _check_key(cfg, option)
    try:
        cfg.merge_from_dict(parsed)
    except (KeyError, IndexError, TypeError, AssertionError) as error:
        raise ValueError(f'Expected the options {list(overrides)} to fit {config}, but: {error}') from error
    return cfg


def _check_key(cfg: Config, option: str) -> None:
    """Refuse a new key that resembles one that is there, and a new top-level key that nothing reads."""
    node, key = cfg._cfg_dict, option.partition('=')[0]
    for depth, part in enumerate(key.split('.')):
        if isinstance(node, (list, tuple)):
            if not part.isdecimal() or int(part) >= len(node):
                return  # MMEngine has a message for it
            node = node[int(part)]
        elif not isinstance(node, Mapping):
            return
        elif part in node:
            node = node[part]
        else:
            known = {*node, *(TOP_LEVEL if depth == 0 else ())}
            similar = [
                name
                for name in difflib.get_close_matches(part, known, cutoff=SIMILAR)
                if re.sub(r'\d', '', name) != re.sub(r'\d', '', part)  # not margin1 beside margin2
            ]
            if depth == 0 and part in TOP_LEVEL:
                return
            if similar or depth == 0:
                hint = f'Did you mean `{similar[0]}`?' if similar else 'Nothing reads a key of that name.'
                raise ValueError(f'Expected `{option}` to change a setting, but the config has no `{part}`. {hint}')
            return


def check_effect(configs: Sequence[Path], options: Sequence[str], trials: Sequence[Sequence[str]] = ((),)) -> None:
    """Refuse options that change nothing, and trials of a grid that are the same.

    Args:
        configs: The configs that they are meant for.
        options: ``key=value`` overrides of all of them.
        trials: For each point of a grid its overrides, which follow ``options``.

    Raises:
        ValueError: An option leaves every config as it is, or two trials give the same settings for some config.
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


def settings_of(cfg: Config) -> dict:
    """Return what identifies a run: the config as plain JSON data, without its work directory.

    Formatting, comments, the order of keys and of imports, and tuples for lists make no difference.
    """
    settings = _plain({key: value for key, value in cfg.items() if key != 'work_dir'})
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


def differences(old: dict, new: dict) -> str:
    """Return which settings differ, ``key: old -> new``; empty where none do.

    Example:
        >>> differences({'a': {'b': 1, 'c': 2}}, {'a': {'b': 5, 'd': [6]}})
        'a.b: 1 -> 5, a.c: 2 -> nothing, a.d: nothing -> [6]'
    """
    before, after = dict(_leaves(old)), dict(_leaves(new))
    changed = [
        f'{key}: {before.get(key, "nothing")} -> {after.get(key, "nothing")}'
        for key in sorted({*before, *after})
        if before.get(key, _leaves) != after.get(key, _leaves)  # a default that equals no setting
    ]
    more = [f'and {len(changed) - SHOWN} more'] if len(changed) > SHOWN else []
    return ', '.join([*changed[:SHOWN], *more])


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


def _leaves(value, prefix: str = ''):
    """Yield key and value of every setting; a list of plain values is one setting."""
    if isinstance(value, dict) and (value or not prefix):
        items = value.items()
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        items = enumerate(value)
    else:
        yield prefix, value
        return
    for key, item in items:
        yield from _leaves(item, f'{prefix}.{key}' if prefix else str(key))
