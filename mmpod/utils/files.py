"""Files that are written completely or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ['replaced']


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Open a new file to write; once it is complete and on the disk, it takes the place of ``path``.

    On an error, ``path`` is unchanged and nothing else is left. Missing folders are created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'{path.name}.new')
    try:
        with temporary.open('wb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
