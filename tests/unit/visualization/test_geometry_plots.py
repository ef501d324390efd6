"""The figures and numbers of a model's features, on features that are made up."""

from importlib.util import find_spec

import pytest
import torch
from torch.testing import assert_close

from mmpod.functional import neural_collapse, normalize_rows, pedcc
from mmpod.functional.moments import class_moments
from mmpod.visualization.embedding import embed, plot_embedding
from mmpod.visualization.geometry_plots import Features, collect_features, draw_geometry, plot_gram

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


def test_each_figure_shows_what_it_says(tmp_path, monkeypatch, drawn):
    import mmpod.visualization.geometry_plots as module

    shown = {}
    monkeypatch.setattr(module, 'plot_gram', lambda rows, path, *_: shown.update({path.stem: rows}))
    monkeypatch.setattr(module, 'plot_embedding', lambda points, labels, *_: shown.update(labels=labels))
    monkeypatch.setattr(module, 'embed', lambda features, *_: shown.update(features=features) or (None, None))
    data = made_up()._replace(prototypes=3 * made_up().prototypes)
    numbers = draw_geometry(data, tmp_path, max_samples=30)
    assert_close(shown['gram'], data.prototypes / 3)
    means = torch.stack([data.features[data.labels == k].mean(0) for k in range(4)])
    centred = means - means.mean(0)
    assert_close(shown['means'], centred / centred.norm(dim=1, keepdim=True))
    assert len(shown['features']) == 30
    assert torch.equal((shown['features'] @ data.prototypes.T).argmax(1), shown['labels'])
    (axes,) = drawn[0].axes
    texts = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    for name, value in (('of its class', 'target_cosine'), ('nearest other', 'max_nontarget_cosine')):
        assert any(name in text and f'mean {numbers[value]:.3f}' in text for text in texts)
    assert axes.lines[-1].get_xdata()[0] == pytest.approx(-1 / 3)


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


def test_names_stay_inside_the_frame(tmp_path, drawn):
    """Of classes at the edge of the map, with the longest names that are usual."""
    points = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]).double()
    plot_embedding(points, torch.arange(4), None, ['automobile', 'bird', 'n02123045', 'truck'], 'pca', tmp_path)
    (figure,) = drawn
    figure.draw_without_rendering()
    (axes,) = figure.axes
    frame = axes.get_window_extent()
    assert len(axes.texts) == 4
    for text in axes.texts:
        box = text.get_window_extent()
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1, text
    assert axes.get_xlabel() == 'principal component 1' and 'PCA' in axes.get_title()


def test_numbers_of_the_heat_map_do_not_touch_beside_long_names(tmp_path, drawn):
    names = [f'long class name {number}' for number in range(10)]
    plot_gram(pedcc(10, 16), tmp_path, 'Prototypes', names)
    (figure,) = drawn
    figure.draw_without_rendering()
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == names
    boxes = [text.get_window_extent() for text in axes.texts[1:10]]  # of the first row, negative
    assert all(left.x1 < right.x0 for left, right in zip(boxes, boxes[1:]))


def test_features_come_from_gray_images_of_any_size_and_need_labels(tmp_path):
    import cv2
    import numpy as np
    from mmengine.config import Config

    import mmpod
    from mmpod.engine.runner_session import runner_session

    for label in range(10):
        (tmp_path / 'data' / f'class {label}').mkdir(parents=True)
        cv2.imwrite(str(tmp_path / 'data' / f'class {label}' / '0.png'), np.full((12, 20), 20 * label, np.uint8))
    pipeline = [dict(type='LoadImageFromFile', color_type='grayscale'), dict(type='PackInputs')]
    cfg = Config.fromfile(mmpod.config_file('small/pod_digits'))
    cfg.test_dataloader.dataset = dict(type='CustomDataset', data_root=str(tmp_path / 'data'), pipeline=pipeline)
    cfg.data_preprocessor = dict(num_classes=10, mean=[100.0], std=[50.0])
    cfg.merge_from_dict({'model.backbone.in_channels': 1, 'work_dir': str(tmp_path / 'work'), 'log_level': 'ERROR'})
    with runner_session(cfg) as runner:
        data = collect_features(runner, 'test')
        assert data.features.shape == (10, 256) and data.labels.tolist() == list(range(10))
        assert data.names == [f'class {label}' for label in range(10)]
        runner.cfg.test_dataloader.dataset.type = 'mmpod.UnlabelledImages'
        with pytest.raises(ValueError, match='no `gt_label`.*--split train'):
            collect_features(runner, 'test')
