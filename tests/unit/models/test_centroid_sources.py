"""The head's centroids from the simplex and the spread."""

import hashlib
from functools import partial

import pytest
import torch
from data_samples import samples_of
from torch.testing import assert_close

from mmpod.functional import max_cosine, spread_centroids
from mmpod.models import PEDCCHead, centroid_sources
from mmpod.models.centroid_sources import build_centroids, centroid_recipe, digest


@pytest.fixture
def lines(monkeypatch):
    """The lines of the log; a descent is cut to 50 steps."""
    found = []
    monkeypatch.setattr(centroid_sources, 'print_log', lambda line, logger: found.append(line))
    monkeypatch.setattr(centroid_sources, 'spread_centroids', partial(spread_centroids, steps=50))
    return found


def test_more_classes_than_a_simplex_has_are_never_spread_silently():
    with pytest.raises(ValueError, match="feat_dim=8 or more.*centroids='spread'"):
        PEDCCHead(9, 4, 5)
    head = PEDCCHead(9, 4, 5, seed=3, centroids='spread')
    assert_close(head.centroids, spread_centroids(9, 5, seed=3).float(), rtol=0, atol=0)
    assert set(head.loss((torch.randn(4, 4),), samples_of([0, 3, 8, 8]))) == {
        'loss_cosine',
        'loss_sc',
    }


def test_numerical_spread_is_reported(lines):
    rows = PEDCCHead(12, 4, 3, centroids='spread').centroids
    expected = spread_centroids(12, 3, steps=50)
    assert_close(rows, expected.float(), rtol=0, atol=0)
    assert len(lines) == 11 and 'step 5: ' in lines[0]
    largest = f'{max_cosine(expected):.4f}'
    assert lines[-1].endswith(f'largest cosine {largest}; no arrangement has one below 0.2899.')


@pytest.mark.parametrize('num_classes, feat_dim', [(9, 5), (10, 5), (1000, 64)])
def test_closed_forms_are_reported(num_classes, feat_dim, lines, monkeypatch):
    if num_classes == 1000:
        monkeypatch.setattr(centroid_sources, 'max_cosine', lambda rows: pytest.fail('compared all pairs'))
    assert build_centroids('spread', num_classes, feat_dim, 0).shape == (num_classes, feat_dim)
    (line,) = lines
    assert f'largest cosine {0.125 if num_classes == 1000 else 0:.4f}' in line.replace('-0.0', '0.0')


def test_only_tables_that_are_large_and_exact_have_a_recipe():
    assert centroid_recipe('spread', 66048, 256, 3) == dict(centroids='spread', num_classes=66048, feat_dim=256, seed=3)
    for source, num_classes, feat_dim in [('spread', 4224, 64), ('spread', 8000, 4096), ('pedcc', 4097, 4096)]:
        assert centroid_recipe(source, num_classes, feat_dim, 0) is None
    assert centroid_recipe('file.pkl', 66048, 256, 0) is None


def test_digest_is_of_all_rows_in_float32():
    rows = torch.randn(2**16 + 1, 3, dtype=torch.float64)
    expected = hashlib.sha256(rows.numpy().astype('<f4').tobytes()).hexdigest()
    assert digest(rows) == digest(rows.float()) == expected


def test_missing_file_and_unknown_source(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere.pkl'):
        PEDCCHead(4, 3, 6, centroids=str(tmp_path / 'nowhere.pkl'))
    with pytest.raises(ValueError, match="centroids.*'pedcc', 'spread', 'FILE.pkl'.*'even'"):
        PEDCCHead(4, 3, 6, centroids='even')
