"""Files that are written completely or not at all, and a check that a file can be written."""

import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mmpod.utils.errors import UserError

__all__ = ['check_output_file', 'replaced']


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Open a new file for writing; once it is complete and on disk, it takes the place of ``path``.

    Several processes may do this at the same time; the last one to finish wins. On an error, ``path`` is unchanged and
    nothing else is left; a process that is killed may leave ``<path>.<host>.<process>.new``. Missing folders are
    created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        with temporary.open('wb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _temporary(path: Path) -> Path:
    """Return a name in the same folder that no other process has."""
    return path.with_name(f'{path.name}.{platform.node()}.{os.getpid()}.new')


def check_output_file(name: str, path: Path) -> None:
    """Raise :class:`UserError` unless a file can be written to ``path``; missing folders are created."""
    if path.is_dir():
        raise UserError(f'Expected {name} to be a file, but got the folder `{path}`. Name a file in it.')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise UserError(
            f'Expected {name} to be a file that can be written, but got `{path}` ({error.strerror}). Name another.'
        ) from error
