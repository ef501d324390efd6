"""Reading the centroid files that the authors of the paper released, without running code in them."""

import io
import pickle
import pickletools
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Union

import torch
from torch import Tensor

__all__ = ['UNIT_TOLERANCE', 'read_centroids']

UNIT_TOLERANCE = 1e-3  # of a row's length; the released rows are float32
MAX_BYTES = (2**26, 16)  # per file, and per number
# At the start of what torch.save wrote before PyTorch 1.6, and still of each tensor's numbers in a pickle.
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
DTYPES = dict(
    HalfStorage=torch.float16,
    FloatStorage=torch.float32,
    DoubleStorage=torch.float64,
    IntStorage=torch.int32,
    LongStorage=torch.int64,
)
# Those of plain values; BUILD and others, which change objects, are not among them.
OPCODES = set(
    'PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 SHORT_BINUNICODE BINUNICODE '
    'SHORT_BINBYTES BINBYTES EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM '
    'SETITEMS BINPUT LONG_BINPUT MEMOIZE BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BINPERSID'.split()
)


def read_centroids(path: Union[str, Path], num_classes: int, feat_dim: int) -> Tensor:
    """Return the centroids of a released file: a pickled dict from label to tensor (1, D).

    No function or class that the file names is imported: :class:`TensorUnpickler` has its own for the few names that
    tensors need, and refuses the others.

    Args:
        path: A ``.pkl`` file of the labels 0 to K - 1, written with ``pickle.dump`` (protocol 2 to 5), or with
            ``torch.save`` before PyTorch 1.6.
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
        rows = _rows(_load(data), num_classes, feat_dim)
    except Exception as error:  # a damaged file makes struct and PyTorch raise many types
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


def _rows(content: Any, num_classes: int, feat_dim: int) -> Tensor:
    if type(content) is not dict:
        raise ValueError(f'it holds a {type(content).__name__}')
    if content.keys() != set(range(num_classes)):
        raise ValueError(f'it holds a dict of {len(content)} items')
    for row in content.values():
        if not isinstance(row, Tensor):
            raise ValueError(f'it holds a {type(row).__name__} instead of a tensor')
        if row.shape not in ((1, feat_dim), (feat_dim,)) or not row.is_floating_point():
            raise ValueError(f'it holds a tensor of {row.dtype}, {tuple(row.shape)}')
    return torch.stack([content[label].double().flatten() for label in range(num_classes)])


def _load(data: bytes) -> Any:
    """Return what ``pickle.dump`` wrote: one pickle; or ``torch.save`` before 1.6: five pickles and the numbers."""
    if data.startswith(b'PK'):
        raise ValueError('it is an archive of torch.save; write the dict with pickle.dump')
    file = io.BytesIO(data)

    def load() -> Any:
        return TensorUnpickler(file, len(data)).load()

    content = load()
    if type(content) is not int or content != MAGIC_NUMBER:
        return content
    load()  # the version
    if load()['little_endian'] is not True:
        raise ValueError('it was written on a machine that is not little-endian')
    reader = TensorUnpickler(file, len(data))
    content = reader.load()
    for key in load():
        if type(key) is not str or key not in reader.storages:
            raise ValueError('it holds numbers that belong to no tensor')
        storage, count = reader.storages[key], int.from_bytes(file.read(8), 'little')
        storage.copy_(torch.frombuffer(bytearray(file.read(count * storage.element_size())), dtype=storage.dtype))
    return content


def _refuse(opcode: pickletools.OpcodeInfo) -> Callable:
    def load(self: Any) -> None:
        raise ValueError(f'it has the opcode {opcode.name}, which no file of tensors needs')

    return load


class TensorUnpickler(pickle._Unpickler):  # in Python, where opcodes can be refused
    """Load a dict of tensors from a pickle, with few opcodes and without anything that the pickle names.

    Args:
        file: Read up to the end of the pickle.
        max_bytes: The size of the whole file, which bounds that of all storages together.

    Attributes:
        storages: The numbers of the tensors by the key under which ``torch.save`` wrote them, zeros until filled in.
    """

    stack: list
    pop_mark: Callable
    dispatch: ClassVar[Any] = {
        ord(opcode.code): pickle._Unpickler.dispatch[ord(opcode.code)] if opcode.name in OPCODES else _refuse(opcode)
        for opcode in pickletools.opcodes
    }

    def __init__(self, file: BinaryIO, max_bytes: int):
        super().__init__(file)
        self.bytes_left = max_bytes
        self.storages: dict[str, Tensor] = {}
        self.known: dict[tuple[str, str], Any] = {
            ('collections', 'OrderedDict'): lambda: {},
            ('_codecs', 'encode'): lambda text, _: text.encode('latin1'),  # bytes in protocol 2
            ('torch._utils', '_rebuild_tensor_v2'): _tensor,
            ('torch.storage', '_load_from_bytes'): lru_cache(maxsize=None)(_load),
            **{('torch', name): dtype for name, dtype in DTYPES.items()},
        }

    def find_class(self, module: str, name: str) -> Any:
        """Return the replacement for a function or class."""
        if (module, name) not in self.known:
            raise ValueError(f'it asks for `{module}.{name}`, which no file of tensors needs')
        return self.known[module, name]

    def persistent_load(self, fields: Any) -> Tensor:
        """Return the storage for ('storage', dtype, key, device, number of elements, ...)."""
        _, dtype, key, _, count, *_ = fields
        if not isinstance(dtype, torch.dtype) or type(key) is not str or type(count) is not int:
            raise ValueError('it holds a tensor in a form that torch.save does not write')
        if key not in self.storages:
            size = count * torch.empty(0, dtype=dtype).element_size()
            if not 0 <= size <= self.bytes_left:
                raise ValueError('it announces more numbers than it has')
            self.bytes_left -= size
            self.storages[key] = torch.zeros(count, dtype=dtype)
        return self.storages[key]

    def load_setitem(self) -> None:
        """Put a key and a value into the dict before them."""
        value, key = self.stack.pop(), self.stack.pop()
        self._update([key, value])

    def load_setitems(self) -> None:
        """Put keys and values into the dict before them."""
        self._update(self.pop_mark())

    dispatch.update({ord('s'): load_setitem, ord('u'): load_setitems})

    def _update(self, items: list) -> None:
        # Other keys are not even hashed, which for some would take forever or overflow the stack.
        if type(self.stack[-1]) is not dict or any(type(key) not in (int, str) for key in items[::2]):
            raise ValueError('it holds a label that is not an integer')
        self.stack[-1].update(zip(items[::2], items[1::2]))


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Tensor:
    if not isinstance(storage, Tensor) or any(type(number) is not int for number in (offset, *size, *stride)):
        raise ValueError('it holds a tensor without numbers or shape')
    return storage.as_strided(size, stride, offset)  # which refuses to reach beyond the storage
