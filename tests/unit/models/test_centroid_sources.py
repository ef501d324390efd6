"""The head's centroids from the simplex, the spread and released files; hostile files run nothing."""

import collections
import pickle

import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample
from torch.testing import assert_close

from mmpod.functional import pedcc, spread_centroids
from mmpod.models import PEDCCHead, centroid_sources
from mmpod.models.centroid_file import read_centroids


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('MMPOD_CACHE', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


def released(num_classes=4, feat_dim=6):
    return {label: row.float().unsqueeze(0) for label, row in enumerate(pedcc(num_classes, feat_dim, seed=9))}


def write(path, content, dump=pickle.dump, **options):
    with path.open('wb') as file:
        dump(content, file, **options)
    return path


def test_more_classes_than_a_simplex_has_are_never_spread_silently():
    with pytest.raises(ValueError, match="feat_dim=8 or more.*centroids='spread'"):
        PEDCCHead(9, 4, 5)
    head = PEDCCHead(9, 4, 5, seed=3, centroids='spread')
    assert_close(head.centroids, spread_centroids(9, 5, seed=3).float(), rtol=0, atol=0)
    assert set(head.loss((torch.randn(4, 4),), [DataSample().set_gt_label(label) for label in (0, 3, 8, 8)])) == {
        'loss_cosine',
        'loss_sc',
    }


def test_numerical_spread_is_computed_once_and_reported(cache, monkeypatch):
    lines = []
    monkeypatch.setattr(centroid_sources, 'print_log', lambda line, logger: lines.append(line))
    first = PEDCCHead(12, 4, 3, centroids='spread').centroids
    assert len(lines) == 12 and lines[1].startswith('step 150: ')
    assert lines[-1].endswith('largest cosine 0.4472; no arrangement has one below 0.2899.')
    assert [path.name for path in cache.glob('*.n*')] == ['spread_12_3_0.npy']
    assert_close(PEDCCHead(12, 4, 3, centroids='spread').centroids, first, rtol=0, atol=0)
    assert len(lines) == 13 and lines[12] == lines[11]


@pytest.mark.parametrize(
    'dump, options',
    [
        (pickle.dump, {}),
        (pickle.dump, dict(protocol=2)),
        (torch.save, {}),
        (torch.save, dict(_use_new_zipfile_serialization=False)),
    ],
    ids=['pickle', 'protocol 2', 'torch.save', 'torch.save before 1.6'],
)
@pytest.mark.parametrize('make', [dict, collections.OrderedDict])
def test_released_files_are_read(dump, options, make, tmp_path):
    shuffled = make(sorted(released().items(), reverse=True))
    path = write(tmp_path / '4_6.pkl', shuffled, dump, **options)
    head = PEDCCHead(4, 3, 6, centroids=str(path))
    assert_close(head.centroids, pedcc(4, 6, seed=9).float(), rtol=0, atol=1e-7)


def test_rows_that_share_a_storage_or_want_gradients(tmp_path):
    matrix = pedcc(4, 6, seed=9).requires_grad_()
    path = write(tmp_path / 'shared.pkl', {label: matrix.detach()[label : label + 1] for label in range(4)})
    assert_close(read_centroids(path, 4, 6), pedcc(4, 6, seed=9))
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
        ({}, ['empty']),
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


def test_missing_file_and_unknown_source(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere.pkl'):
        PEDCCHead(4, 3, 6, centroids=str(tmp_path / 'nowhere.pkl'))
    with pytest.raises(ValueError, match="centroids.*'pedcc', 'spread', 'FILE.pkl'.*'even'"):
        PEDCCHead(4, 3, 6, centroids='even')
