"""Features on disk, memory-mapped, with a note of where they come from."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Optional

import numpy as np

__all__ = ['FeatureCache', 'digest_of_samples']


def digest_of_samples(dataset: Any) -> str:
    """Return a hash of what a dataset lists: labels, images in memory, and path, size and time of change of files.

    Files are not read. Of a dataset without a list (mmengine's ``get_data_info``), only the length counts.

    Args:
        dataset: A dataset in memory or on disk.
    """
    digest = hashlib.sha256(str(len(dataset)).encode())
    for index in range(len(dataset) if hasattr(dataset, 'get_data_info') else 0):
        info = dataset.get_data_info(index)
        path, image = info.get('img_path'), info.get('img')
        state = os.stat(path) if path is not None and os.path.exists(path) else None  # else remote
        changed = state and (state.st_size, state.st_mtime_ns)
        digest.update(repr((info.get('gt_label'), path, changed, np.shape(image))).encode())
        if image is not None:
            digest.update(np.asarray(image).tobytes())
    return digest.hexdigest()


class FeatureCache:
    """A folder with ``features.npy`` (N, D), float32, ``labels.npy`` (N,), int64, and ``provenance.json``.

    The last is written when all rows are there: without it the folder counts as empty.

    Args:
        folder: The folder; made when it is needed.
        provenance: JSON data that determine the features: weights, dataset and its pipeline, samples, stage.

    Raises:
        ValueError: The folder holds features of another provenance, or a damaged note of it.
    """

    def __init__(self, folder: str, provenance: dict[str, Any]):
        self.folder = Path(folder)
        self.provenance = json.loads(json.dumps(provenance))
        self._note = self.folder / 'provenance.json'
        self.complete = self._note.is_file()
        if not self.complete:
            return
        try:
            found = dict(json.loads(self._note.read_text()))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f'Expected `{self._note}` to be the note of a feature cache, but it is damaged ({error}). '
                'Remove the folder.'
            ) from error
        other = sorted(key for key in found.keys() | self.provenance if found.get(key) != self.provenance.get(key))
        if other:
            raise ValueError(
                f'Expected the features in `{self.folder}` to be of this run, but these differ: {", ".join(other)} '
                f'(see {self._note.name} there). Remove the folder or name another one.'
            )

    def create(self, num_samples: int, dim: int) -> None:
        """Make room for N samples; one process does it for all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, dtype, shape in (('features', np.float32, (num_samples, dim)), ('labels', np.int64, (num_samples,))):
            np.lib.format.open_memmap(self.folder / f'{name}.npy', 'w+', dtype, shape).flush()

    def open(self, write: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Return features and labels, mapped into memory."""
        mode: Optional[str] = 'r+' if write else 'c'  # a change of a row then stays in memory
        return tuple(np.load(self.folder / f'{name}.npy', mmap_mode=mode) for name in ('features', 'labels'))

    def finish(self) -> None:
        """Declare the rows complete; one process does it after all have written theirs."""
        temporary = self._note.with_name(self._note.name + '.new')
        temporary.write_text(json.dumps(self.provenance, indent=2) + '\n')
        temporary.replace(self._note)
