"""A file backend that writes files completely or not at all."""

import os
from pathlib import Path
from typing import Union

from mmengine.fileio import LocalBackend, register_backend

__all__ = ['AtomicLocalBackend']


@register_backend('atomic_local')
class AtomicLocalBackend(LocalBackend):
    """MMEngine's local files, written under a temporary name first: ``backend_args=dict(backend='atomic_local')``.

    With it in ``CheckpointHook``, a run that is killed while saving, or whose disk is full, leaves no broken
    checkpoint, and the previous one stays intact.
    """

    def put(self, obj: bytes, filepath: Union[str, Path]) -> None:
        """Write ``obj`` to ``filepath``.

        Raises:
            OSError: It cannot be written; ``filepath`` is then unchanged.
        """
        path = Path(filepath)
        temporary = path.with_name(f'{path.name}.new')
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open('wb') as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise OSError(
                error.errno,
                f'Expected to write {len(obj) / 2**20:.1f} MiB, but got: {error.strerror}. Earlier files are '
                'intact; free some space, or copy the run to another --work-dir, and repeat the command with --resume',
                str(path),
            ) from error


register_backend('whole_file', AtomicLocalBackend)  # its name in configs of 0.1
