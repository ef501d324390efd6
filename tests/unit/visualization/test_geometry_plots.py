"""The pictures and numbers of a model's features, on features that are made up."""

from importlib.util import find_spec

import pytest
import torch
from torch.testing import assert_close

from mmpod.functional import class_moments, neural_collapse, normalize_rows, pedcc
from mmpod.visualization.geometry import Features, draw_geometry, embed, require_method

PICTURES = {'gram.png', 'means.png', 'cosines.png', 'embedding.png'}


def made_up(num_classes=4, per_class=20, dim=8, spread=0.1):
    prototypes, labels = pedcc(max(num_classes, 2), dim), torch.arange(num_classes).repeat(per_class)
    features = prototypes[labels] + spread * torch.randn(len(labels), dim).double()
    return Features(normalize_rows(features), labels, prototypes, [f'class {k}' for k in range(len(prototypes))])


def written(folder):
    """The names of the pictures, each of which must show more than one colour."""
    import matplotlib.image

    for path in folder.glob('*.png'):
        assert matplotlib.image.imread(path).std() > 0.01, path
    return {path.name for path in folder.iterdir()}


def test_numbers_are_those_of_prototypes_of_any_length(tmp_path):
    data = made_up()
    data = data._replace(prototypes=data.prototypes * torch.tensor([[1.0], [2.0], [3.0], [4.0]]))
    numbers = draw_geometry(data, tmp_path, 'pca')
    expected = neural_collapse(class_moments(data.features, data.labels, 4, by_class=False), data.prototypes)
    cosine = data.features @ normalize_rows(data.prototypes).T
    own = cosine[range(80), data.labels]
    assert numbers.pop('target_cosine') == pytest.approx(own.mean().item())
    cosine[range(80), data.labels] = -2
    assert numbers.pop('max_nontarget_cosine') == pytest.approx(cosine.amax(1).mean().item())
    assert numbers == pytest.approx({name: value.item() for name, value in expected.items()})
    assert written(tmp_path) == PICTURES


@pytest.mark.parametrize('num_classes', [2, 15, 33])
def test_few_and_many_classes(num_classes, tmp_path):
    draw_geometry(made_up(num_classes, per_class=3, dim=40), tmp_path, 'pca')
    assert written(tmp_path) == PICTURES


def test_what_cannot_be_drawn_is_left_out(tmp_path):
    data = made_up()
    numbers = draw_geometry(data._replace(prototypes=None), tmp_path, 'pca')
    assert 'target_cosine' not in numbers and 'nc1' in numbers
    assert written(tmp_path) == {'means.png', 'embedding.png'}
    (tmp_path / 'absent').mkdir()
    draw_geometry(data._replace(labels=data.labels.clamp_max(2)), tmp_path / 'absent', 'pca')
    assert written(tmp_path / 'absent') == PICTURES - {'means.png'}


UMAP = pytest.param(
    'umap',  # compiles for 20 s
    marks=[pytest.mark.slow, pytest.mark.skipif(not find_spec('umap'), reason='umap-learn is not installed')],
)


@pytest.mark.parametrize('method', ['tsne', UMAP])
def test_maps_are_seeded_and_keep_classes_together(method):
    data = made_up(per_class=15)
    points, stars = embed(data.features, data.prototypes, method, seed=1)
    assert points.shape == (60, 2) and stars.shape == (4, 2)
    nearest = (torch.cdist(points, points) + 1e9 * torch.eye(60)).argmin(1)
    assert (data.labels[nearest] == data.labels).all()
    assert torch.equal(torch.cdist(stars, points).argmin(1) % 4, torch.arange(4))
    assert torch.equal(embed(data.features, data.prototypes, method, seed=1)[0], points)
    embed(data.features[:5], None, method)  # fewer samples than the usual perplexity


def test_pca_keeps_distances_in_a_plane():
    plane, turn = torch.randn(30, 2).double(), torch.linalg.qr(torch.randn(6, 6).double()).Q
    features = torch.nn.functional.pad(plane, (0, 4)) @ turn
    points, stars = embed(features, features[:3], 'pca')
    assert_close(torch.cdist(points, points), torch.cdist(plane, plane))
    assert_close(stars, points[:3])


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(ModuleNotFoundError, match='`umap`.*pip install umap-learn; or take another of tsne, pca'):
        require_method('umap')
