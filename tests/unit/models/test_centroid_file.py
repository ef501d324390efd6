"""Released centroid files are read; hostile ones run nothing."""

import collections
import pickle

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from mmpod.functional import pedcc
from mmpod.models import PEDCCHead, centroid_file
from mmpod.models.centroid_file import read_centroids

with_each_protocol = pytest.mark.parametrize('protocol', [2, 3, 4, 5])


def released(num_classes=4, feat_dim=6):
    return {label: row.float().unsqueeze(0) for label, row in enumerate(pedcc(num_classes, feat_dim, seed=9))}


def write(path, content, protocol=4):
    path.write_bytes(pickle.dumps(content, protocol))
    return path


@with_each_protocol
@pytest.mark.parametrize('make', [dict, collections.OrderedDict])
def test_released_files_are_read(protocol, make, tmp_path):
    shuffled = make(sorted(released(300, 299).items(), reverse=True))  # labels of one byte and of two
    head = PEDCCHead(300, 3, 299, centroids=str(write(tmp_path / '300_299.pkl', shuffled, protocol)))
    assert_close(head.centroids, pedcc(300, 299, seed=9).float(), rtol=0, atol=1e-7)


@with_each_protocol
def test_rows_of_one_matrix(protocol, tmp_path):
    matrix = pedcc(4, 99, seed=9)
    wider = torch.cat([matrix, torch.ones(4, 2)], dim=1)  # a stride that is not D
    path = write(tmp_path / 'rows.pkl', {label: wider[label : label + 1, :99] for label in range(4)}, protocol)
    assert_close(read_centroids(path, 4, 99), matrix)


def test_half_precision_and_leaf_tensors(tmp_path):
    rows = {label: row.half().requires_grad_() for label, row in released().items()}
    centroids = read_centroids(write(tmp_path / 'leaf.pkl', rows), 4, 6)
    assert not centroids.requires_grad
    assert_close(centroids, pedcc(4, 6, seed=9), rtol=0, atol=1e-3)


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
    contents = dict(value=[released(), payload], storage={**released(), 3: smuggled(payload)}, whole=payload)
    if place == 'torch.save':
        torch.save(contents['value'], path)
    else:
        write(path, contents[place])
    with pytest.raises(ValueError, match='hostile.pkl.*written with pickle.dump'):
        read_centroids(path, 4, 6)
    assert not (tmp_path / 'executed').exists()
    if place == 'value':
        pickle.loads(path.read_bytes())  # the payload does work
        assert (tmp_path / 'executed').exists()


@pytest.mark.parametrize(
    'content, words',
    [
        ([1, 2], ['written with pickle.dump']),
        ({}, ['0 tensors']),
        ({**released(), 4: torch.ones(1, 6)}, ['5 tensors']),
        ({**released(), 3: 3}, ['written with pickle.dump']),
        (released(4, 5), ['(1, 6)', '[1, 5]']),
        ({label: row.int() for label, row in released().items()}, ['IntStorage']),
        ({label: 2 * row for label, row in released().items()}, ['unit vectors', 'length 2']),
        ({label: row * float('nan') for label, row in released().items()}, ['unit vectors', 'nan']),
        (np.eye(4), ['numpy']),
        (b'no pickle', ['written with pickle.dump']),
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


def with_arguments(storage=None, offset=0, size=(1, 6), stride=(6, 1)):
    """Return a row of 12 numbers made by other arguments."""
    if storage is None:
        storage = torch.full((12,), 6**-0.5)._typed_storage()

    class Row:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (storage, offset, size, stride, False, collections.OrderedDict())

    return {0: Row()}


def test_tensors_within_their_numbers(tmp_path):
    path = write(tmp_path / 'within.pkl', with_arguments(offset=6))
    assert_close(read_centroids(path, 1, 6), torch.full((1, 6), 6**-0.5).double())


@pytest.mark.parametrize(
    'change',
    [
        dict(offset=7),
        dict(offset=-7),
        dict(offset=2**70),
        dict(offset=b'0'),
        dict(stride=(6, 3)),
        dict(stride=()),
        dict(size=(6, 1)),
        dict(size=(1,) * 1000),
        dict(storage=b'no storage'),
        dict(storage=7),
    ],
    ids=lambda change: str(change)[:30],
)
def test_tensors_beyond_their_numbers(change, tmp_path):
    path = write(tmp_path / 'beyond.pkl', with_arguments(**change))
    with pytest.raises(ValueError, match='written with pickle.dump, but') as caught:
        read_centroids(path, 1, 6)
    assert len(str(caught.value)) < 600 + len(str(path))


@pytest.mark.parametrize('label', ['0', True, 0.0, -1, 2**40, None, b'0', 'a' * 10**6], ids=lambda x: repr(x)[:9])
def test_labels_that_are_not_integers_of_a_class(label, tmp_path):
    path = write(tmp_path / 'labels.pkl', {label: released()[0]})
    with pytest.raises(ValueError, match='labels.pkl.*the labels 0 to 0') as caught:
        read_centroids(path, 1, 6)
    assert len(str(caught.value)) < 600 + len(str(path))


def test_size_is_bounded(tmp_path, monkeypatch):
    path = write(tmp_path / '4_6.pkl', released())
    monkeypatch.setattr(centroid_file, 'MAX_BYTES', (100, 1))
    with pytest.raises(ValueError, match='124 bytes'):
        read_centroids(path, 4, 6)


@with_each_protocol
def test_truncated_and_damaged_files(protocol, tmp_path):
    """Either a sentence, or unit rows: a flipped bit of a number may go unnoticed."""
    whole = write(tmp_path / 'whole.pkl', released(), protocol).read_bytes()
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


def test_an_archive_of_torch_save_is_refused_with_the_way_out(tmp_path):
    torch.save(released(), tmp_path / 'archive.pkl')
    with pytest.raises(ValueError, match='archive of torch.save; write the dict with pickle.dump'):
        read_centroids(tmp_path / 'archive.pkl', 4, 6)
