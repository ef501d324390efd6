"""Read the centroid files that the authors of the paper released, without unpickling them."""

import io
import pickletools
from pathlib import Path
from typing import Any, Union

import torch
from torch import Tensor

__all__ = ['read_centroids']

UNIT_TOLERANCE = 1e-3  # of a row's length; the released rows are float32
MAX_BYTES = (2**26, 16)  # per file, and per number
# All text in a pickle of tensors: the functions that rebuild them, and an encoding.
NAMES = {'torch._utils', '_rebuild_tensor_v2', 'torch.storage', '_load_from_bytes', 'collections', 'OrderedDict'}
NAMES |= {'_codecs', 'encode', 'latin1'}  # in protocol 2
DTYPES = {'torch HalfStorage': torch.float16, 'torch FloatStorage': torch.float32, 'torch DoubleStorage': torch.float64}


def read_centroids(path: Union[str, Path], num_classes: int, feat_dim: int) -> Tensor:
    """Return the centroids of a released file: a pickled dict from label to tensor (1, D).

    The file is scanned for labels, shapes and numbers; nothing in it is executed or imported.

    Args:
        path: A ``.pkl`` file of the labels 0 to K - 1, written with ``pickle.dump`` (protocol 2 to 5).
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
        if path.stat().st_size > limit:
            raise ValueError(f'it is longer than the {limit} bytes that this many centroids need')
        rows = _rows(path.read_bytes(), feat_dim)
        if rows.keys() != set(range(num_classes)):
            raise ValueError(f'it holds {len(rows)} tensors, or other labels')
    except Exception as error:  # a damaged file makes pickletools and PyTorch raise many types
        raise ValueError(
            f'Expected `{path}` to hold a dict of the labels 0 to {num_classes - 1}, each with a floating-point tensor '
            f'of shape (1, {feat_dim}), written with pickle.dump, but {str(error)[:300]}.'
        ) from error
    centroids = torch.stack([rows[label] for label in range(num_classes)])
    lengths = centroids.norm(dim=1)
    if not ((lengths - 1).abs() < UNIT_TOLERANCE).all():  # NaN fails it too
        worst = int((lengths - 1).abs().argmax())
        raise ValueError(
            f'Expected the centroids in `{path}` to be unit vectors, but got length {lengths[worst]:g} for label '
            f'{worst}. Is this the right file?'
        )
    return centroids / lengths.unsqueeze(1)


def _rows(data: bytes, feat_dim: int) -> dict[int, Tensor]:
    """Return the tensors by label; each label is followed by a storage, an offset, two sizes and two strides."""
    if data.startswith(b'PK'):
        raise ValueError('it is an archive of torch.save; write the dict with pickle.dump')
    values: list[Any] = []
    for opcode, value, _ in pickletools.genops(data):
        if opcode.name in ('BININT', 'BININT1', 'BININT2', 'BINBYTES', 'SHORT_BINBYTES'):
            values.append(value)
        elif opcode.name == 'BINUNICODE' and value.startswith('\x80'):  # bytes in protocol 2
            values.append(value.encode('latin1'))
        elif isinstance(value, str) and not NAMES.issuperset(value.split(' ')):
            raise ValueError(f'it names `{value[:100]}`, which no file of tensors needs')
    rows = {}
    for start in range(0, len(values), 7):
        label, storage, offset, *shape = values[start : start + 7]
        if not isinstance(storage, bytes) or shape[:2] + shape[3:] != [1, feat_dim, 1] or offset < 0:
            raise ValueError(f'it holds something else, or another shape: {shape[:2]}')
        rows[label] = _numbers(storage)[offset:][:feat_dim].double().view(feat_dim)  # an error if there are too few
    return rows


def _numbers(storage: bytes) -> Tensor:
    """Return the numbers of a storage: five pickles, of which one names the type; the count; and the numbers."""
    file = io.BytesIO(storage)
    names = [value for _ in range(5) for opcode, value, _ in pickletools.genops(file) if 'GLOBAL' in opcode.name]
    if len(names) != 1 or names[0] not in DTYPES:
        raise ValueError(f'it holds numbers of another type: {names}')
    count = int.from_bytes(file.read(8), 'little')
    return torch.frombuffer(bytearray(file.read()), dtype=DTYPES[names[0]], count=count)
