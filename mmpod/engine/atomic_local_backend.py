"""A file backend that writes files completely or not at all."""

from pathlib import Path
from typing import Union

from mmengine.fileio import LocalBackend, register_backend

from mmpod.utils.files import replaced

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
        try:
            with replaced(Path(filepath)) as file:
                file.write(obj)
        except OSError as error:
            raise OSError(
                error.errno,
                f'Expected to write {len(obj) / 2**20:.1f} MiB, but got: {error.strerror}. Earlier files are '
                'intact; free some space, or copy the run to another --work-dir, and repeat the command with --resume',
                str(filepath),
            ) from error


register_backend('whole_file', AtomicLocalBackend)  # its name in configs of 0.1
