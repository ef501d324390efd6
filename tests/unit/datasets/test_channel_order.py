"""Every shipped config gives its network what mmpretrain's inferencer gives it for the same file."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpretrain import ImageClassificationInferencer
from mmpretrain.registry import DATASETS, MODELS
from torch.testing import assert_close

from mmpod.datasets import CIFAR10AnyLayout, CIFAR100AnyLayout

CONFIGS = Path(__file__).resolve().parents[3] / 'configs'
BASES = sorted((CONFIGS / '_base_' / 'datasets').glob('*.py'))
LEAVES = sorted(path for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts)
COLOUR = (200, 120, 40)  # red, green, blue


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Every dataset with one test image per class: the first of one colour, the others random."""
    random = np.random.RandomState(0)
    images = [np.full((64, 64, 3), COLOUR[::-1], np.uint8), *random.randint(0, 256, (3, 64, 64, 3), np.uint8)]

    def write(root, names, size):
        for index, name in enumerate(names):
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cv2.imencode('.png', cv2.resize(images[min(index, 3)], (size, size)))[1])

    people = [f'person {index:03d}' for index in range(100)]
    for name, classes, size in (
        ('cifar10', CIFAR10AnyLayout.METAINFO['classes'], 32),
        ('cifar100', CIFAR100AnyLayout.METAINFO['classes'], 32),
        ('facescrub', people, 64),
    ):
        write(tmp_path / name / 'test', [f'{one}/a.png' for one in classes], size)
    (tmp_path / 'facescrub' / 'train').symlink_to(tmp_path / 'facescrub' / 'test')
    names = [f'{index}.JPEG' for index in range(4)]
    write(tmp_path / 'tinyimagenet' / 'val' / 'images', names, 64)
    write(tmp_path / 'imagenet' / 'val', names, 64)
    wnids = [f'n{index:03d}' for index in range(200)]
    (tmp_path / 'tinyimagenet' / 'wnids.txt').write_text('\n'.join(wnids))
    lines = [f'{name}\t{wnid}\t0\t0\t63\t63' for name, wnid in zip(names, wnids)]
    (tmp_path / 'tinyimagenet' / 'val' / 'val_annotations.txt').write_text('\n'.join(lines))
    (tmp_path / 'imagenet' / 'meta').mkdir()
    (tmp_path / 'imagenet' / 'meta' / 'val.txt').write_text(''.join(f'{name} 0\n' for name in names))
    for name in ('cifar10', 'cifar100', 'facescrub', 'tinyimagenet', 'imagenet'):
        monkeypatch.setenv(f'{name.upper()}_ROOT', str(tmp_path / name))
    init_default_scope('mmpretrain')
    return tmp_path


def first_files(dataset, folder):
    """The files of the first test images; those of scikit-learn's digits are written."""
    if dataset.type == 'mmpod.SklearnDigits':
        raw = DATASETS.build(dict(dataset, pipeline=[]))
        for index in range(3):
            cv2.imwrite(str(folder / f'{index}.png'), raw[index]['img'])
        return [folder / f'{index}.png' for index in range(3)]
    folder = Path(dataset.data_root) / dataset.split
    classes = {'mmpod.CIFAR10AnyLayout': CIFAR10AnyLayout, 'mmpod.CIFAR100AnyLayout': CIFAR100AnyLayout}
    if dataset.type in classes:
        return [folder / name / 'a.png' for name in classes[dataset.type].METAINFO['classes'][:3]]
    if dataset.type == 'mmpod.FaceScrub':
        return [folder / f'person 00{index}' / 'a.png' for index in range(3)]
    return [next(folder.rglob(f'{index}.JPEG')) for index in range(3)]


def check(cfg, folder):
    dataset = cfg.test_dataloader.dataset
    preprocessor = MODELS.build(dict(dict(type='ClsDataPreprocessor'), **cfg.data_preprocessor))
    built = DATASETS.build(dataset)
    expected = preprocessor(pseudo_collate([built[index] for index in range(3)]), training=False)['inputs']
    inferencer = object.__new__(ImageClassificationInferencer)  # without the network, which is not needed
    inferencer.pipeline = inferencer._init_pipeline(cfg)
    files = [str(path) for path in first_files(dataset, folder)]
    for inputs in (files, [cv2.imread(path) for path in files]):
        (batch,) = inferencer.preprocess(inputs, batch_size=3)
        assert_close(preprocessor(batch, training=False)['inputs'], expected, rtol=0, atol=0)
    if dataset.type != 'mmpod.SklearnDigits':
        mean, std = torch.tensor(cfg.data_preprocessor.mean), torch.tensor(cfg.data_preprocessor.std)
        assert_close(expected[0].mean(dim=(1, 2)), (torch.tensor(COLOUR) - mean) / std)  # mean and std are RGB


@pytest.mark.parametrize('path', BASES, ids=lambda path: path.stem)
def test_datasets_give_what_the_inferencer_gives(path, data):
    check(Config.fromfile(path), data)


def test_no_config_normalises_on_its_own():
    """So that the bases stand for all, without loading every config."""
    for path in LEAVES:
        assert not any(word in path.read_text() for word in ('to_rgb', 'mean=', 'std=')), path
