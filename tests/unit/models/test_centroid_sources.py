"""The head's centroids from the simplex, the spread and released files; hostile files run nothing."""

import pickle

import pytest
import torch
from mmpretrain.structures import DataSample
from torch.testing import assert_close

from mmpod.functional import pedcc, spread_centroids
from mmpod.models import PEDCCHead, centroid_sources


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


def test_missing_file_and_unknown_source(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere.pkl'):
        PEDCCHead(4, 3, 6, centroids=str(tmp_path / 'nowhere.pkl'))
    with pytest.raises(ValueError, match="centroids.*'pedcc', 'spread', 'FILE.pkl'.*'even'"):
        PEDCCHead(4, 3, 6, centroids='even')
