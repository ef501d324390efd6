"""Files that are written completely or not at all, and a check that a file can be written."""

import glob
import itertools
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mmpod.utils.errors import UserError

__all__ = ['check_output_file', 'replaced']

WRITES = itertools.count()  # of this process


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Open a new file to write; once it is complete and on the disk, it takes the place of ``path``.

    Several processes may do so at the same time: the last one to finish wins. On an error, ``path`` is unchanged and
    nothing else is left; what a killed process has left is removed by the next write. Missing folders are created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
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
    """Return a name that no other write has; it says which process of which machine writes."""
    return path.with_name(f'{path.name}.{platform.node()}.{os.getpid()}.{next(WRITES)}.new')


def _remove_leftovers(path: Path) -> None:
    """Remove temporary files of ``path`` whose process, on this machine, no longer exists."""
    if os.name != 'posix':  # on Windows, signal 0 would end the process
        return
    for leftover in path.parent.glob(f'{glob.escape(f"{path.name}.{platform.node()}")}.*.*.new'):
        try:
            os.kill(int(leftover.name.split('.')[-3]), 0)
        except ProcessLookupError:
            leftover.unlink(missing_ok=True)
        except (OSError, ValueError):  # the process of another user, or a file of another origin
            continue


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
