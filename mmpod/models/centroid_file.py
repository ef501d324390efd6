"""Reading the centroid files that the authors of the paper released, without running what is in them."""

import io
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Union

import torch
from torch import Tensor
from torch._utils import _rebuild_tensor_v2
from torch.serialization import MAGIC_NUMBER  # with which torch.save began its files before PyTorch 1.6

__all__ = ['read_centroids']

UNIT_TOLERANCE = 1e-3  # of a row's length; the released rows are float32


def read_centroids(path: Union[str, Path], num_classes: int, feat_dim: int) -> Tensor:
    """Return the centroids of a released file: a pickled dict from label to tensor (1, D).

    A pickle is a program. This reader runs none: of all that a pickle can name it admits the few functions that put a
    plain tensor together, and refuses the file at the first other one, before that has been called.

    Args:
        path: A ``.pkl`` file, written with ``pickle.dump`` or ``torch.save``, of the labels 0 to K - 1.
        num_classes: K.
        feat_dim: D.

    Returns:
        Tensor: Shape (K, D), float64, unit rows in the order of the labels.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It holds anything else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected a file of centroids at `{path}`, but there is none. Correct the path, or use centroids='pedcc', "
            'which needs no file.'
        )
    rule = f'a dict of the labels 0 to {num_classes - 1}, each with a floating-point tensor of shape (1, {feat_dim})'
    try:
        content = _load(path.read_bytes())
    except Exception as error:
        raise ValueError(f'Expected `{path}` to hold {rule}, and nothing that runs code, but got: {error}') from error
    rows = _rows(content, num_classes, feat_dim)
    if rows is None:
        raise ValueError(f'Expected `{path}` to hold {rule}, but got {_describe(content)}.')
    lengths = rows.norm(dim=1)
    if not ((lengths - 1).abs() < UNIT_TOLERANCE).all():  # NaN fails it too
        worst = int((lengths - 1).abs().argmax())
        raise ValueError(
            f'Expected the centroids in `{path}` to be unit vectors, but got length {lengths[worst]:g} for label '
            f'{worst}. Is this the right file?'
        )
    return rows / lengths.unsqueeze(1)


def _load(data: bytes) -> Any:
    if data.startswith(b'PK'):  # the zip archive of torch.save
        return _checked_load(data)
    content = _TensorUnpickler(io.BytesIO(data)).load()
    return _checked_load(data) if content == MAGIC_NUMBER else content


def _checked_load(data: bytes) -> Any:
    """Load what torch.save wrote, by PyTorch's loader for plain data; its loader of storages uses none."""
    return torch.load(io.BytesIO(data), map_location='cpu', weights_only=True)


def _latin1(text: str, encoding: str) -> bytes:
    """Return the bytes that a pickle of protocol 2 holds as text."""
    if encoding != 'latin1':
        raise pickle.UnpicklingError(f'it asks for the encoding {encoding!r}, which no file of tensors needs')
    return text.encode('latin1')


class _TensorUnpickler(pickle.Unpickler):
    ADMITTED = {
        ('torch._utils', '_rebuild_tensor_v2'): _rebuild_tensor_v2,
        ('torch.storage', '_load_from_bytes'): _checked_load,
        ('_codecs', 'encode'): _latin1,
        ('collections', 'OrderedDict'): OrderedDict,
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return what an admitted name stands for."""
        if (module, name) not in self.ADMITTED:
            raise pickle.UnpicklingError(f'it asks for `{module}.{name}`, which no file of tensors needs')
        return self.ADMITTED[module, name]


def _rows(content: Any, num_classes: int, feat_dim: int) -> Union[Tensor, None]:
    """Return the rows in the order of the labels, or None where the content is not what it should be."""
    if not isinstance(content, Mapping) or set(content) != set(range(num_classes)):
        return None
    tensors = [content[label] for label in range(num_classes)]
    if any(not isinstance(row, Tensor) or row.layout != torch.strided for row in tensors):
        return None
    if any(not row.is_floating_point() or row.shape not in ((1, feat_dim), (feat_dim,)) for row in tensors):
        return None
    return torch.stack([row.detach().reshape(feat_dim).double() for row in tensors])


def _describe(content: Any) -> str:
    if not isinstance(content, Mapping):
        return f'a {type(content).__name__}'
    first = next(iter(content.items()), None)
    if first is None:
        return 'an empty dict'
    label, value = first
    kind = f'{value.dtype} {tuple(value.shape)}' if isinstance(value, Tensor) else type(value).__name__
    return f'a dict of {len(content)} items, the first {label!r}: {kind}'
