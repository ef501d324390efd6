"""The head's centroids from the simplex and the spread, and the cache of what a descent has found."""

import hashlib
import logging
from functools import partial
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample
from torch.testing import assert_close

from mmpod.functional import max_cosine, spread_centroids
from mmpod.models import PEDCCHead, centroid_sources
from mmpod.models.centroid_sources import build_centroids, centroid_recipe, digest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('MMPOD_CACHE', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


@pytest.fixture
def lines(monkeypatch):
    """The lines of the log with their level; a descent is cut to 50 steps."""
    found = []

    def print_log(line, logger, level=logging.INFO):
        found.append((level, line))

    monkeypatch.setattr(centroid_sources, 'print_log', print_log)
    monkeypatch.setattr(centroid_sources, 'spread_centroids', partial(spread_centroids, steps=50))
    return found


def warnings_in(lines):
    return [line for level, line in lines if level == logging.WARNING]


def test_more_classes_than_a_simplex_has_are_never_spread_silently():
    with pytest.raises(ValueError, match="feat_dim=8 or more.*centroids='spread'"):
        PEDCCHead(9, 4, 5)
    head = PEDCCHead(9, 4, 5, seed=3, centroids='spread')
    assert_close(head.centroids, spread_centroids(9, 5, seed=3).float(), rtol=0, atol=0)
    assert set(head.loss((torch.randn(4, 4),), [DataSample().set_gt_label(label) for label in (0, 3, 8, 8)])) == {
        'loss_cosine',
        'loss_sc',
    }


def test_numerical_spread_is_computed_once_and_reported(cache, lines):
    first = PEDCCHead(12, 4, 3, centroids='spread').centroids
    assert len(lines) == 12 and lines[1][1].startswith('step 5: ')
    assert_close(first, spread_centroids(12, 3, steps=50).float(), rtol=0, atol=0)
    largest = f'{max_cosine(spread_centroids(12, 3, steps=50)):.4f}'
    assert lines[-1][1].endswith(f'largest cosine {largest}; no arrangement has one below 0.2899.')
    assert [path.name for path in cache.iterdir()] == ['spread_v1_12_3_0.npy']
    assert_close(PEDCCHead(12, 4, 3, centroids='spread').centroids, first, rtol=0, atol=0)
    assert len(lines) == 13 and lines[12] == lines[11] and not warnings_in(lines)


@pytest.mark.parametrize('num_classes, feat_dim', [(9, 5), (10, 5), (1000, 64)])
def test_closed_forms_need_no_cache(num_classes, feat_dim, cache, lines, monkeypatch):
    if num_classes == 1000:
        monkeypatch.setattr(centroid_sources, 'max_cosine', lambda rows: pytest.fail('compared all pairs'))
    rows = build_centroids('spread', num_classes, feat_dim, 0)
    assert rows.shape == (num_classes, feat_dim) and not cache.exists()
    assert f'largest cosine {0.125 if num_classes == 1000 else 0:.4f}' in lines[-1][1].replace('-0.0', '0.0')


@pytest.mark.parametrize('name', ['other K', 'zeros', 'truncated', 'pickled', 'empty', 'folder'])
def test_damaged_cache_is_computed_again(name, cache, lines):
    first = build_centroids('spread', 12, 3, 0)
    (path,) = cache.iterdir()
    if name == 'other K':
        np.save(path, first[:11].numpy())
    elif name == 'zeros':
        np.save(path, np.zeros((12, 3)))
    elif name == 'truncated':
        path.write_bytes(path.read_bytes()[:-8])
    elif name == 'pickled':
        np.save(path, first.numpy().astype(object))
    else:
        path.unlink()
        path.mkdir() if name == 'folder' else path.touch()
    for steps in (10, 10 if name == 'folder' else 0):  # a folder in the way stays
        del lines[:]
        assert_close(build_centroids('spread', 12, 3, 0), first, rtol=0, atol=0)
        assert sum(line.startswith('step') for _, line in lines) == steps
        assert len(warnings_in(lines)) == (name == 'folder')


def test_what_another_version_has_found_is_computed_again(cache, lines, monkeypatch):
    build_centroids('spread', 12, 3, 0)
    monkeypatch.setattr(centroid_sources, 'DESCENT_VERSION', 2)
    del lines[:]
    build_centroids('spread', 12, 3, 0)
    assert len(lines) == 12 and not warnings_in(lines)
    assert sorted(path.name for path in cache.iterdir()) == ['spread_v1_12_3_0.npy', 'spread_v2_12_3_0.npy']


@pytest.mark.parametrize('name', ['a file', 'below a file', 'full'])
def test_a_cache_never_stops_a_run(name, cache, lines, monkeypatch):
    first = build_centroids('spread', 12, 3, 0)
    del lines[:]
    next(cache.iterdir()).unlink()
    if name == 'full':
        monkeypatch.setattr(np, 'save', Mock(side_effect=OSError(28, 'No space left on device')))
    else:
        (cache.parent / 'file').touch()
        monkeypatch.setenv('MMPOD_CACHE', str(cache.parent / ('file' if name == 'a file' else 'file/below')))
    assert_close(build_centroids('spread', 12, 3, 0), first, rtol=0, atol=0)
    (warning,) = warnings_in(lines)
    assert 'MMPOD_CACHE' in warning


def test_only_the_main_process_writes_the_cache(cache, lines, monkeypatch):
    monkeypatch.setattr(centroid_sources, 'is_main_process', lambda: False)
    build_centroids('spread', 12, 3, 0)
    assert not cache.exists() and not warnings_in(lines)


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
