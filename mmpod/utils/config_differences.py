"""The settings of two configs as plain data, and which of them differ."""

import ast
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ['differences', 'parse_settings', 'variations']

SHOWN = 10


def parse_settings(text: str) -> dict[str, Any]:
    """Return the settings in the text of a config as MMEngine writes it (``pretty_text``), without executing it.

    Raises:
        SyntaxError: It is not Python.

    Example:
        >>> parse_settings("optimizer = dict(type='SGD', lr=0.1)")
        {'optimizer': {'type': 'SGD', 'lr': 0.1}}
    """
    assigned = [line for line in ast.parse(text).body if isinstance(line, ast.Assign)]
    return {ast.unparse(line.targets[0]): _value(line.value) for line in assigned}


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == 'dict':
        if node.args:  # dict({'not an identifier': 1})
            return _value(node.args[0])
        return {str(keyword.arg): _value(keyword.value) for keyword in node.keywords}
    if isinstance(node, ast.Dict):
        return {str(_value(key)): _value(value) for key, value in zip(node.keys, node.values) if key}
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(item) for item in node.elts]
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def differences(old: dict, new: dict) -> str:
    """Return which settings differ, ``key: old -> new``; empty if none do.

    Example:
        >>> differences({'a': {'b': 1, 'c': 2}}, {'a': {'b': 5, 'd': [6]}})
        'a.b: 1 -> 5, a.c: 2 -> nothing, a.d: nothing -> [6]'
    """
    before, after = dict(_leaves(old)), dict(_leaves(new))
    changed = [
        f'{key}: {before.get(key, "nothing")} -> {after.get(key, "nothing")}'
        for key in sorted({*before, *after})
        if before.get(key, _leaves) != after.get(key, _leaves)  # the default equals no setting
    ]
    return _shown(changed)


def variations(settings: Sequence[dict]) -> str:
    """Return which settings vary between configs, with their values; empty if none do.

    Example:
        >>> variations([{'a': {'b': 1, 'c': 2}}, {'a': {'b': 5, 'c': 2}}, {'a': {'c': 2}}])
        'a.b (1, 5, nothing)'
    """
    flat = [dict(_leaves(each)) for each in settings]
    values = {key: dict.fromkeys(str(each.get(key, 'nothing')) for each in flat) for each in flat for key in each}
    varied = [f'{key} ({", ".join(found)})' for key, found in values.items() if len(found) > 1]
    return _shown(varied)


def _shown(items: Sequence[str]) -> str:
    more = [f'and {len(items) - SHOWN} more'] if len(items) > SHOWN else []
    return ', '.join([*items[:SHOWN], *more])


def _leaves(value: Any, prefix: str = '') -> Iterator[tuple[str, Any]]:
    """Yield key and value of every setting; a list of plain values is one setting."""
    if isinstance(value, dict) and (value or not prefix):
        items = list(value.items())
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        items = list(enumerate(value))
    else:
        yield prefix, value
        return
    for key, item in items:
        yield from _leaves(item, f'{prefix}.{key}' if prefix else str(key))
