"""Reading the centroid files that the authors of the paper released, without running code in them."""

import io
import zipfile
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple, Union

import numpy as np
import torch
from torch import Tensor

from mmpod.utils.plain_pickle import Call, Global, Pairs, describe, read_pickle

__all__ = ['UNIT_TOLERANCE', 'read_centroids']

UNIT_TOLERANCE = 1e-3  # of a row's length; the released rows are float32
MAX_OPCODES = (100_000, 100)  # per file, and per class; a tensor takes 35
MAX_STORAGE_OPCODES = 100  # for each of the four pickles around a storage; the longest has 27
MAX_BYTES = (2**26, 16)  # per file, and per number
MAX_KEY = 100  # characters of the name of a storage, which is a number

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C  # at the start of files of torch.save before PyTorch 1.6
REBUILD_TENSOR = Global('torch._utils', '_rebuild_tensor_v2')
LOAD_STORAGE = Global('torch.storage', '_load_from_bytes')
DTYPES = dict(HalfStorage='<f2', FloatStorage='<f4', DoubleStorage='<f8', IntStorage='<i4', LongStorage='<i8')


BIG_ENDIAN = 'it was written on a machine that is not little-endian'


class Storage(NamedTuple):
    """The numbers of a tensor, by the key under which ``torch.save`` wrote them."""

    key: str


def read_centroids(path: Union[str, Path], num_classes: int, feat_dim: int) -> Tensor:
    """Return the centroids of a released file: a pickled dict from label to tensor (1, D).

    A pickle is a program, which this reader does not run: :func:`~mmpod.utils.plain_pickle.read_pickle` turns the few
    operations that such a file needs into descriptions, and the rows are read from the bytes that these point to. No
    function or class that the file names is ever imported.

    Args:
        path: A ``.pkl`` file, written with ``pickle.dump`` (protocol 2 to 5) or ``torch.save``, of the labels 0 to
            K - 1.
        num_classes: K.
        feat_dim: D.

    Returns:
        Tensor: Shape (K, D), float64, unit rows in the order of the labels.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file holds anything else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected a file of centroids at `{path}`, but there is none. Correct the path, or use centroids='pedcc', "
            'which needs no file.'
        )
    try:
        limit = MAX_BYTES[0] + MAX_BYTES[1] * num_classes * feat_dim
        with path.open('rb') as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise ValueError(f'it is longer than the {limit} bytes that this many centroids need')
        load = _load_zip if data.startswith(b'PK') else _load_stream
        content, storages = load(data, MAX_OPCODES[0] + MAX_OPCODES[1] * num_classes)
        rows = _rows(content, storages, num_classes, feat_dim)
    except Exception as error:  # a damaged file makes struct, zipfile, zlib, codecs and NumPy raise many types
        raise ValueError(
            f'Expected `{path}` to hold a dict of the labels 0 to {num_classes - 1}, each with a floating-point tensor '
            f'of shape (1, {feat_dim}), and nothing that runs code, but {str(error)[:300]}.'
        ) from error
    lengths = rows.norm(dim=1)
    if not ((lengths - 1).abs() < UNIT_TOLERANCE).all():  # NaN fails it too
        worst = int((lengths - 1).abs().argmax())
        raise ValueError(
            f'Expected the centroids in `{path}` to be unit vectors, but got length {lengths[worst]:g} for label '
            f'{worst}. Is this the right file?'
        )
    return rows / lengths.unsqueeze(1)


def _load_zip(data: bytes, max_opcodes: int) -> tuple[Any, dict[str, np.ndarray]]:
    """Return what ``torch.save`` wrote, and its storages by key."""
    dtypes: dict[str, np.dtype] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > len(data):
            raise ValueError('it is a compressed archive, which torch.save does not write')
        names = archive.namelist()
        folder = next((name[: -len('data.pkl')] for name in names if name.endswith('/data.pkl')), '')
        if f'{folder}byteorder' in names and archive.read(f'{folder}byteorder') != b'little':
            raise ValueError(BIG_ENDIAN)
        content = read_pickle(io.BytesIO(archive.read(f'{folder}data.pkl')), max_opcodes, partial(_storage, dtypes))
        raw = {key: archive.read(f'{folder}data/{key}') for key in dtypes}
    return content, {key: np.frombuffer(raw[key], dtype) for key, dtype in dtypes.items()}


def _load_stream(data: bytes, max_opcodes: int) -> tuple[Any, dict[str, np.ndarray]]:
    """Read the single pickle of ``pickle.dump``, or the five of ``torch.save`` before PyTorch 1.6 and the storages."""
    file = io.BytesIO(data)
    content = read_pickle(file, max_opcodes)
    if type(content) is not int or content != MAGIC_NUMBER:
        return content, {}
    dtypes: dict[str, np.dtype] = {}
    read_pickle(file, max_opcodes)  # the version
    if ('little_endian', True) not in read_pickle(file, max_opcodes):
        raise ValueError(BIG_ENDIAN)
    content = read_pickle(file, max_opcodes, partial(_storage, dtypes))
    keys, storages = read_pickle(file, max_opcodes), {}
    if type(keys) is not list or any(type(key) is not str or key not in dtypes for key in keys):
        raise ValueError('it holds numbers that belong to no tensor')
    for key in keys:
        count = int.from_bytes(file.read(8), 'little')
        storages[key] = np.frombuffer(data, dtypes[key], count, file.tell())
        file.seek(storages[key].nbytes, io.SEEK_CUR)
    return content, storages


def _storage(dtypes: dict[str, np.dtype], fields: Any) -> Storage:
    """Record the dtype of ('storage', class, key, device, number of elements) or (..., None)."""
    known = type(fields) is tuple and len(fields) in (5, 6) and fields[5:] in ((), (None,))
    if not known or type(fields[1]) is not Global or type(fields[2]) is not str or len(fields[2]) > MAX_KEY:
        raise ValueError('it holds a tensor in a form that torch.save does not write')
    dtype = np.dtype(DTYPES[fields[1].name])
    if dtypes.setdefault(fields[2], dtype) != dtype:
        raise ValueError('it holds one storage with two dtypes')
    return Storage(fields[2])


def _rows(content: Any, storages: dict[str, np.ndarray], num_classes: int, feat_dim: int) -> Tensor:
    """Return the rows in the order of the labels."""
    if type(content) is not Pairs or not content:
        raise ValueError(f'it holds {"an empty dict" if type(content) is Pairs else describe(content)}')
    labels = [label for label, _ in content]
    wrong = [label for label in labels if type(label) is not int]
    if wrong:
        raise ValueError(f'it holds a label that is not an integer: {describe(wrong[0])}')
    if sorted(labels) != list(range(num_classes)):
        raise ValueError(f'it holds a dict of {len(labels)} items, the first with the label {describe(labels[0])}')
    by_label = dict(content)
    load_storage = lru_cache(maxsize=None)(partial(_load_stream, max_opcodes=MAX_STORAGE_OPCODES))
    rows = np.empty((num_classes, feat_dim))
    for label in range(num_classes):
        rows[label] = _row(by_label[label], storages, load_storage, feat_dim)
    return torch.from_numpy(rows)


def _row(value: Any, storages: dict[str, np.ndarray], load_storage: Callable, feat_dim: int) -> np.ndarray:
    """Return the numbers of a tensor (1, D) or (D,): (storage, offset, size, stride, requires_grad, hooks)."""
    if type(value) is not Call or value.function != REBUILD_TENSOR or len(value.arguments) != 6:
        raise ValueError(f'it holds {describe(value)} instead of a tensor')
    storage, offset, size, stride = value.arguments[:4]
    if type(storage) is Call and storage.function == LOAD_STORAGE and type(storage.arguments[0]) is bytes:
        storage, storages = load_storage(storage.arguments[0])
    if type(storage) is not Storage or storage.key not in storages:
        raise ValueError('it holds a tensor without numbers')
    numbers = storages[storage.key]
    if any(type(axes) is not tuple or any(type(n) is not int for n in axes) for axes in (size, stride, (offset,))):
        raise ValueError('it holds a tensor without a shape')
    if size not in ((1, feat_dim), (feat_dim,)) or numbers.dtype.kind != 'f':
        raise ValueError(f'it holds a tensor of {numbers.dtype}, {size if len(size) < 5 else f"{len(size)} axes"}')
    step = stride[-1] if stride else 0
    if offset < 0 or step < 1 or offset + (feat_dim - 1) * step >= len(numbers):
        raise ValueError('it holds a tensor that reaches beyond its numbers')
    return numbers[offset : offset + (feat_dim - 1) * step + 1 : step]
