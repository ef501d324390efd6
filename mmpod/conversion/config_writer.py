"""A converted config as a file of a few lines that inherits the original."""

import os
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import modelindex
from mmengine.config import Config

from mmpod.conversion.convert import Conversion
from mmpod.engine.command_line import read_config
from mmpod.utils.paths import package_data

__all__ = ['find_base', 'read_base', 'write_converted']


def find_base(name: str) -> Path:
    """Return the config file that ``name`` refers to.

    Args:
        name: A path; ``mmpretrain::resnet/resnet18_8xb32_in1k.py``, a config that a package ships; or a name that
            mmpretrain's model hub knows, such as ``resnet18_8xb32_in1k``.

    Raises:
        FileNotFoundError: There is no such config.
    """
    package, separator, relative = name.partition('::')
    folder = package_data(package if separator else 'mmpretrain')
    path = Path(name)
    if separator and folder is not None:
        path = folder / 'configs' / relative
    elif not path.is_file() and folder is not None and (folder / 'model-index.yml').is_file():
        index = modelindex.load(str(folder / 'model-index.yml'))
        index.build_models_with_collections()
        path = next((folder / model.config for model in index.models if model.name.lower() == name.lower()), path)
    if path.is_file():
        return path
    raise FileNotFoundError(
        'Expected `BASE` to be a config file, PACKAGE::FOLDER/FILE.py of an installed package, or a model of '
        f'mmpretrain.list_models(), but got {name!r}. Relative paths start at `{Path.cwd()}`.'
    )


def read_base(path: Path) -> Config:
    """Return the config in ``path``.

    Raises:
        ValueError: It does not load, or a text config cannot inherit it.
    """
    cfg = read_config(path)
    if path.suffix == '.py' and Config._is_lazy_import(str(path)):
        raise ValueError(
            f'Expected `{path}` to be a text config, but it is a pure Python config (read_base), which a text '
            'config cannot inherit. Convert it in Python: mmpod.convert(Config.fromfile(path)).dump(NEW).'
        )
    return cfg


def write_converted(
    base: Path, cfg: Config, plan: Conversion, output: Path, command: Sequence[str], title: str = 'POD Loss'
) -> None:
    """Write ``output``, a config that inherits ``base`` and makes the planned changes, and read it back.

    ``cfg`` is the content of ``base``. An existing output is replaced. The docstring of the output contains ``title``,
    the loss that it trains or the estimator that it evaluates, and the command line.

    Raises:
        ValueError: The output is the original, does not end in ``.py``, or does not load as planned.
    """
    if output.suffix != '.py':
        raise ValueError(f'Expected the output to end in `.py`, but got `{output}`.')
    if output.exists() and output.samefile(base):
        raise ValueError(
            f'Expected the output to be a file other than the original, but got `{output}`. Name a new one.'
        )
    notes = ''.join(f'\n- {note}' for note in plan.notes)
    docstring = f'{base.stem} with {title}.\n\n{shlex.join(command)}\n'
    docstring += f'\nOther differences:\n{notes}\n' if notes else ''
    docstring = docstring.replace('\\', r'\\').replace('"""', r'\"\"\"')
    text = f'"""{docstring}"""\n\n_base_ = [{_reference(base, output)!r}]\n\n{_code(plan.changes)}'
    output.parent.mkdir(parents=True, exist_ok=True)
    # The draft is in the folder of the output, so that the relative path to the original is the same.
    with tempfile.NamedTemporaryFile('w', suffix='.py', dir=output.parent, encoding='utf-8') as draft:
        draft.write(text)
        draft.flush()
        if _without_scopes(Config.fromfile(draft.name)) != _without_scopes(plan.apply(cfg)):
            raise ValueError(f'Expected `{output}` to load as the converted config, but it differs. Please report it.')
    output.write_text(text, encoding='utf-8')


def _reference(base: Path, output: Path) -> str:
    """Return how ``output`` names ``base``: by its package if possible, otherwise by a path."""
    folder = package_data('mmpretrain')
    if folder is not None and folder.name == '.mim':  # where MMEngine looks for `mmpretrain::`
        shipped = (folder / 'configs').resolve()
        if shipped in base.resolve().parents:
            return f'mmpretrain::{base.resolve().relative_to(shipped).as_posix()}'
    try:
        return Path(os.path.relpath(base.resolve(), output.resolve().parent)).as_posix()
    except ValueError:  # on another drive
        return base.resolve().as_posix()


def _code(changes: dict) -> str:
    """Return assignments as they are written by hand: `dict(...)` with one argument per line if it holds another."""
    return ''.join(f'{name} = {_literal(value, "")}\n' for name, value in changes.items())


def _literal(value: Any, indent: str) -> str:
    inner = indent + '    '
    if isinstance(value, dict) and all(str(key).isidentifier() for key in value):
        items = [f'{key}={_literal(item, inner)}' for key, item in value.items()]
        if any(isinstance(item, (dict, list)) for item in value.values()):
            return 'dict(\n' + ''.join(f'{inner}{item},\n' for item in items) + f'{indent})'
        return f'dict({", ".join(items)})'
    if isinstance(value, list):
        return f'[{", ".join(_literal(item, inner) for item in value)}]'
    return repr(value)


def _without_scopes(item: Any) -> Any:
    """Return plain data, without the keys that MMEngine adds to a config that comes from a package."""
    if isinstance(item, Config):
        item = item.to_dict()
    if isinstance(item, dict):
        return {key: _without_scopes(value) for key, value in item.items() if key != '_scope_'}
    return [_without_scopes(value) for value in item] if isinstance(item, (list, tuple)) else item
