"""Released centroid files are read; hostile ones run nothing, change nothing, and cost little."""

import collections
import io
import pickle
import pickletools
import sys

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from mmpod.functional import pedcc
from mmpod.models import PEDCCHead, centroid_file
from mmpod.models.centroid_file import TensorUnpickler, read_centroids

FORMS = {
    'pickle': (pickle.dump, {}),
    'protocol 2': (pickle.dump, dict(protocol=2)),
    'protocol 3': (pickle.dump, dict(protocol=3)),
    'protocol 5': (pickle.dump, dict(protocol=5)),
    'torch.save before 1.6': (torch.save, dict(_use_new_zipfile_serialization=False)),
}
with_each_form = pytest.mark.parametrize('dump, options', FORMS.values(), ids=FORMS)


def released(num_classes=4, feat_dim=6):
    return {label: row.float().unsqueeze(0) for label, row in enumerate(pedcc(num_classes, feat_dim, seed=9))}


def write(path, content, dump=pickle.dump, **options):
    with path.open('wb') as file:
        dump(content, file, **options)
    return path


@with_each_form
@pytest.mark.parametrize('make', [dict, collections.OrderedDict])
def test_released_files_are_read(dump, options, make, tmp_path):
    shuffled = make(sorted(released().items(), reverse=True))
    path = write(tmp_path / '4_6.pkl', shuffled, dump, **options)
    head = PEDCCHead(4, 3, 6, centroids=str(path))
    assert_close(head.centroids, pedcc(4, 6, seed=9).float(), rtol=0, atol=1e-7)


@with_each_form
def test_rows_that_share_a_storage(dump, options, tmp_path):
    matrix = pedcc(4, 6, seed=9)
    path = write(tmp_path / 'rows.pkl', {label: matrix[label : label + 1] for label in range(4)}, dump, **options)
    assert_close(read_centroids(path, 4, 6), matrix)
    columns = matrix.T.contiguous().T  # a stride of 4
    path = write(tmp_path / 'columns.pkl', {label: columns[label] for label in range(4)}, dump, **options)
    assert_close(read_centroids(path, 4, 6), matrix)


def test_rows_that_want_gradients(tmp_path):
    path = write(tmp_path / 'leaf.pkl', {label: row.clone().requires_grad_() for label, row in released().items()})
    assert not read_centroids(path, 4, 6).requires_grad


class Payload:
    """Pickled into a file, it would create another file when somebody unpickles it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), 'w'))


def smuggled(payload):
    """Return a tensor whose pickle hides the payload in the bytes of its storage, which PyTorch loads unchecked."""

    class Storage:
        def __reduce__(self):
            return torch.storage._load_from_bytes, (pickle.dumps(payload),)

    class Row:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (Storage(), 0, (1, 6), (6, 1), False, collections.OrderedDict())

    return Row()


@pytest.mark.parametrize('place', ['value', 'storage', 'whole', 'torch.save'])
def test_hostile_files_are_refused_and_not_executed(place, tmp_path):
    payload, path = Payload(tmp_path / 'executed'), tmp_path / 'hostile.pkl'
    contents = dict(value={**released(), 3: payload}, storage={**released(), 3: smuggled(payload)}, whole=payload)
    if place == 'torch.save':
        torch.save(contents['value'], path)
    else:
        write(path, contents[place])
    with pytest.raises(ValueError, match='hostile.pkl.*runs code'):
        read_centroids(path, 4, 6)
    assert not (tmp_path / 'executed').exists()
    if place == 'value':
        pickle.loads(path.read_bytes())  # the payload does work
        assert (tmp_path / 'executed').exists()


@pytest.mark.parametrize(
    'content, words',
    [
        ([1, 2], ['a list']),
        ({}, ['0 items']),
        ({**released(), 4: torch.ones(1, 6)}, ['5 items']),
        ({0: torch.ones(1, 6), 1: 3}, ['2 items']),
        (released(4, 5), ['(1, 6)', '(1, 5)']),
        ({label: row.int() for label, row in released().items()}, ['int32']),
        ({label: 2 * row for label, row in released().items()}, ['unit vectors', 'length 2']),
        ({label: row * float('nan') for label, row in released().items()}, ['unit vectors', 'nan']),
        (np.eye(4), ['numpy']),
        (b'no pickle', ['nothing that runs code']),
    ],
    ids=lambda value: value[0] if isinstance(value, list) and isinstance(value[0], str) else '',
)
def test_other_contents_are_named(content, words, tmp_path):
    path = tmp_path / 'other.pkl'
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        write(path, content)
    with pytest.raises(ValueError) as caught:
        read_centroids(path, 4, 6)
    assert all(word in str(caught.value) for word in ['other.pkl', *words]), caught.value


def body_of(content):
    """Return a pickle of protocol 2 without its first two bytes and its last."""
    return pickle.dumps(content, protocol=2)[2:-1]


# The state (None, {'__defaults__': ({'neg': True},)}) of a function that tensors need: pickle sets it as an attribute.
REWRITE = b'ctorch._utils\n_rebuild_tensor_v2\n(N}X\x0c\x00\x00\x00__defaults__}X\x03\x00\x00\x00neg\x88s\x85stb0'
KEYS = {
    'nested tuples': b')' + b'\x85' * 200_000,
    'shared tuples': b')' + b'q\x00h\x00\x86' * 40,
    'long text': b'X' + (50_000_000).to_bytes(4, 'little') + b'a' * 50_000_000,
    'list': b']',
    'dict': b'}',
    'tuple': b'K\x01\x85',
    'bool': b'\x88',
    'long integer': b'\x8a\xff' + b'\x7f' * 255,
}


def state_of_the_process():
    functions = torch._utils._rebuild_tensor_v2, torch.storage._load_from_bytes, pickle.loads, torch.load
    parts = ('__defaults__', '__kwdefaults__', '__code__')
    attributes = [[getattr(function, part, None) for part in parts] for function in functions]
    classes = [dict(vars(kind)) for kind in (collections.OrderedDict, torch.FloatStorage, torch.Tensor, dict)]
    return [attributes, [dict(getattr(f, '__dict__', {})) for f in functions], classes, set(sys.modules)]


def test_no_function_is_rewritten(tmp_path):
    """A file that reads as valid, and changes how every later checkpoint is loaded."""
    path = tmp_path / 'rewrite.pkl'
    path.write_bytes(b'\x80\x02' + REWRITE + body_of(released()) + b'.')
    before = state_of_the_process()
    with pytest.raises(ValueError, match='opcode BUILD'):
        read_centroids(path, 4, 6)
    assert state_of_the_process() == before
    try:
        assert_close(pickle.loads(path.read_bytes())[0], -released()[0])  # the rewriting does work
    finally:
        torch._utils._rebuild_tensor_v2.__defaults__ = before[0][0][0]


@with_each_form
def test_accepted_files_change_nothing_and_import_nothing(dump, options, tmp_path, monkeypatch):
    path = write(tmp_path / '4_6.pkl', released(), dump, **options)
    for owner, name in [(pickle._Unpickler, 'find_class'), (pickle, 'loads'), (torch, 'load')]:
        monkeypatch.setattr(owner, name, lambda *args, **kwargs: pytest.fail('unpickled'))
    before = state_of_the_process()
    read_centroids(path, 4, 6)
    assert state_of_the_process() == before


@pytest.mark.parametrize('key', KEYS)
def test_labels_that_are_not_integers_of_a_class(key, tmp_path):
    """None is hashed or printed: deep ones would crash the interpreter, shared ones hang it."""
    path = tmp_path / 'keys.pkl'
    path.write_bytes(b'\x80\x02}' + KEYS[key] + b'Ns.')
    with pytest.raises(ValueError) as caught:
        read_centroids(path, 4, 6)
    assert 'keys.pkl' in str(caught.value)
    error = caught.value
    while error is not None:
        assert len(str(error)) < 600 + len(str(path))
        error = error.__cause__ or error.__context__


def test_deep_and_shared_values(tmp_path):
    path = tmp_path / 'values.pkl'
    for value in (b')' + b'\x85' * 50_000, KEYS['shared tuples']):
        path.write_bytes(b'\x80\x02}K\x00' + value + b's.')
        with pytest.raises(ValueError, match='a tuple instead of a tensor'):
            read_centroids(path, 1, 6)


def test_keys_of_storages_that_are_not_text(tmp_path):
    """Before PyTorch 1.6 a list of them stands behind the tensors."""
    buffer = io.BytesIO()
    torch.save(released(), buffer, _use_new_zipfile_serialization=False)
    buffer.seek(0)
    for _ in range(4):
        list(pickletools.genops(buffer))
    path = tmp_path / 'keys.pkl'
    for key in (b')' + b'\x85' * 50_000, KEYS['shared tuples']):
        path.write_bytes(buffer.getvalue()[: buffer.tell()] + b'\x80\x02]' + key + b'a.' + b'\0' * 100)
        with pytest.raises(ValueError, match='numbers that belong to no tensor'):
            read_centroids(path, 4, 6)


def test_size_is_bounded(tmp_path, monkeypatch):
    path = write(tmp_path / '4_6.pkl', released())
    monkeypatch.setattr(centroid_file, 'MAX_BYTES', (100, 1))
    with pytest.raises(ValueError, match='124 bytes'):
        read_centroids(path, 4, 6)


def with_arguments(storage=None, offset=0, size=(1, 6), stride=(6, 1)):
    """Return four times the same row of 12 numbers, made by other arguments; all of them share the storage."""
    if storage is None:
        storage = torch.full((12,), 6**-0.5)._typed_storage()

    class Row:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (storage, offset, size, stride, False, collections.OrderedDict())

    return {label: Row() for label in range(4)}


def test_one_storage_for_many_rows_is_read_once(tmp_path, monkeypatch):
    """Otherwise a small file with a shared storage would be as much work as a large one."""
    calls, load = [], centroid_file._load
    monkeypatch.setattr(centroid_file, '_load', lambda *args, **kw: calls.append(args) or load(*args, **kw))
    rows = read_centroids(write(tmp_path / 'one.pkl', with_arguments()), 4, 6)
    assert_close(rows, torch.full((4, 6), 6**-0.5).double())
    assert len(calls) == 2  # the file and the storage


@pytest.mark.parametrize(
    'change',
    [
        dict(offset=7),
        dict(offset=-7),
        dict(offset=2**70),
        dict(offset='0'),
        dict(offset=True),
        dict(stride=(6, 3)),
        dict(stride=(6, -1)),
        dict(stride=()),
        dict(stride=(6, 2**70)),
        dict(size=(6, 1)),
        dict(size=(1,) * 1000),
        dict(storage=b'no storage'),
        dict(storage=7),
    ],
    ids=lambda change: str(change)[:30],
)
def test_tensors_that_reach_beyond_their_numbers(change, tmp_path):
    path = write(tmp_path / 'beyond.pkl', with_arguments(**change))
    with pytest.raises(ValueError, match='and nothing that runs code') as caught:
        read_centroids(path, 4, 6)
    assert len(str(caught.value)) < 600 + len(str(path))


def test_other_byte_orders(tmp_path):
    legacy, path = io.BytesIO(), tmp_path / 'big.pkl'
    torch.save(released(), legacy, _use_new_zipfile_serialization=False)
    path.write_bytes(legacy.getvalue().replace(b'little_endianq\x02\x88', b'little_endianq\x02\x89'))
    with pytest.raises(ValueError, match='not little-endian'):
        read_centroids(path, 4, 6)


@with_each_form
def test_truncated_and_damaged_files(dump, options, tmp_path):
    """Either a sentence, or unit rows: a flipped bit of a number may go unnoticed."""
    whole = write(tmp_path / 'whole.pkl', released(), dump, **options).read_bytes()
    random, path = np.random.RandomState(0), tmp_path / 'damaged.pkl'
    cuts = [whole[:length] for length in random.randint(len(whole) - 30, size=40)]
    flips = [bytearray(whole) for _ in range(150)]
    for flipped in flips:
        flipped[random.randint(len(whole))] = random.randint(256)
    for position, content in enumerate([*cuts, *flips]):
        path.write_bytes(content)
        try:
            rows = read_centroids(path, 4, 6)
        except ValueError as error:
            assert 'damaged.pkl' in str(error) and len(str(error)) < 600 + len(str(path))
        else:
            assert position >= len(cuts)
            assert_close(rows.norm(dim=1), torch.ones(4).double())


def test_storages_together_are_no_larger_than_the_file():
    reader = TensorUnpickler(io.BytesIO(), max_bytes=100)
    assert reader.persistent_load(('storage', torch.float32, '0', 'cpu', 20)).shape == (20,)
    assert reader.persistent_load(('storage', torch.float32, '0', 'cpu', 20)).shape == (20,)  # the same one
    with pytest.raises(ValueError, match='more numbers than it has'):
        reader.persistent_load(('storage', torch.float32, '1', 'cpu', 20))


def test_an_archive_of_torch_save_is_refused_with_the_way_out(tmp_path):
    torch.save(released(), tmp_path / 'archive.pkl')
    with pytest.raises(ValueError, match='archive of torch.save; write the dict with pickle.dump'):
        read_centroids(tmp_path / 'archive.pkl', 4, 6)
