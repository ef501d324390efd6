"""The settings of two configs as plain data, and which of them differ."""

import ast
from collections.abc import Iterator
from typing import Any

__all__ = ['differences', 'leaves', 'parse_settings']

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
    """Return which settings differ, ``key: old -> new``; empty where none do.

    Example:
        >>> differences({'a': {'b': 1, 'c': 2}}, {'a': {'b': 5, 'd': [6]}})
        'a.b: 1 -> 5, a.c: 2 -> nothing, a.d: nothing -> [6]'
    """
    before, after = dict(leaves(old)), dict(leaves(new))
    changed = [
        f'{key}: {before.get(key, "nothing")} -> {after.get(key, "nothing")}'
        for key in sorted({*before, *after})
        if before.get(key, leaves) != after.get(key, leaves)  # a default that equals no setting
    ]
    more = [f'and {len(changed) - SHOWN} more'] if len(changed) > SHOWN else []
    return ', '.join([*changed[:SHOWN], *more])


def leaves(value: Any, prefix: str = '') -> Iterator[tuple[str, Any]]:
    """Yield key and value of every setting; a list of plain values is one setting."""
    if isinstance(value, dict) and (value or not prefix):
        items = list(value.items())
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        items = list(enumerate(value))
    else:
        yield prefix, value
        return
    for key, item in items:
        yield from leaves(item, f'{prefix}.{key}' if prefix else str(key))
