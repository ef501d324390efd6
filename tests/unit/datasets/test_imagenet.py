"""The whole and parts of ImageNet and Tiny ImageNet, in every layout, and with every fault named."""

from pathlib import Path

import numpy as np
import pytest
from mmpretrain.registry import DATASETS

from mmpod.datasets import ImageNetSubset, TinyImageNet


def write_images(folder, names):
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        cv2.imwrite(str(folder / name), np.full((64, 64, 3), 7, np.uint8))


def tiny_imagenet(root):
    """Three classes of the official layout, listed out of order as in the real wnids.txt."""
    for wnid in ('n03', 'n01', 'n02'):
        write_images(root / 'train' / wnid / 'images', [f'{wnid}_{i}.JPEG' for i in range(2)])
    write_images(root / 'val' / 'images', [f'val_{i}.JPEG' for i in range(4)])
    lines = [f'val_{i}.JPEG\t{wnid}\t0\t0\t63\t63\n' for i, wnid in enumerate(('n02', 'n01', 'n03', 'n02'))]
    (root / 'val' / 'val_annotations.txt').write_text(''.join(lines) + '\n')  # blank lines are skipped
    (root / 'wnids.txt').write_text('n03\nn01\nn02\n')
    return root


def paths_and_labels(dataset):
    items = [dataset.get_data_info(index) for index in range(len(dataset))]
    return [(Path(item['img_path']).name, item['gt_label']) for item in items]


def test_tiny_imagenet(tmp_path):
    root = tiny_imagenet(tmp_path)
    train = DATASETS.build(dict(type='mmpod.TinyImageNet', data_root=str(root), num_classes=3))
    assert paths_and_labels(train) == [(f'n0{k + 1}_{i}.JPEG', k) for k in range(3) for i in range(2)]
    assert train.metainfo['classes'] == ('n01', 'n02', 'n03')
    val = TinyImageNet(str(root), split='val', num_classes=2)
    assert paths_and_labels(val) == [('val_0.JPEG', 1), ('val_1.JPEG', 0), ('val_3.JPEG', 1)]
    others = TinyImageNet(str(root), num_classes=2, skip_classes=1, samples_per_class=1)
    assert paths_and_labels(others) == [('n02_0.JPEG', 0), ('n03_0.JPEG', 1)]
    with pytest.raises(ValueError, match='`skip_classes` to be an integer from 0 to 198, but got 199'):
        TinyImageNet(str(root), num_classes=2, skip_classes=199)


def test_held_out_part_of_tiny_imagenet(tmp_path):
    root = str(tiny_imagenet(tmp_path))
    first = TinyImageNet(root, num_classes=3, samples_per_class=1)
    rest = TinyImageNet(root, num_classes=3, samples_per_class=1, skip_per_class=1)
    assert paths_and_labels(first) == [(f'n0{k + 1}_0.JPEG', k) for k in range(3)]
    assert paths_and_labels(rest) == [(f'n0{k + 1}_1.JPEG', k) for k in range(3)]
    assert paths_and_labels(TinyImageNet(root, split='val', num_classes=2, samples_per_class=1)) == [
        ('val_0.JPEG', 1),
        ('val_1.JPEG', 0),
    ]
    with pytest.raises(ValueError, match='at most 2, .*n01.*2 and 1'):
        TinyImageNet(root, num_classes=3, samples_per_class=1, skip_per_class=2)
    with pytest.raises(ValueError, match='samples_per_class.*0'):
        TinyImageNet(root, samples_per_class=0)
    with pytest.raises(ValueError, match='skip_per_class.*-1'):
        TinyImageNet(root, skip_per_class=-1)


def test_faulty_tiny_imagenet_is_named(tmp_path):
    root = tiny_imagenet(tmp_path)
    for split in ('test', 'valid'):
        with pytest.raises(ValueError, match=f"split.*'train', 'val'.*'{split}'"):
            TinyImageNet(str(root), split=split)
    with pytest.raises(ValueError, match='num_classes.*201'):
        TinyImageNet(str(root), num_classes=201)
    with pytest.raises(FileNotFoundError, match='nowhere.*wnids.txt.*http.*TINYIMAGENET_ROOT'):
        TinyImageNet(str(root / 'nowhere'))
    for path in (root / 'train' / 'n02' / 'images').iterdir():
        path.unlink()
    with pytest.raises(FileNotFoundError, match='n02/images'):
        TinyImageNet(str(root), num_classes=3)


@pytest.mark.parametrize('layout', ['sorted', 'listed', 'sorted with a list'])
def test_imagenet_subset(layout, tmp_path):
    for wnid in ('n03', 'n01', 'n02'):
        write_images(tmp_path / 'train' / wnid, [f'{wnid}_a.JPEG'])
        write_images(tmp_path / 'val' / (wnid if 'sorted' in layout else ''), [f'val_{wnid}.JPEG'])
    if 'list' in layout:
        write_list(tmp_path, 'val_n03.JPEG 2\nval_n01.JPEG 0\nval_n02.JPEG 1\n')
    build = dict(type='mmpod.ImageNetSubset', data_root=str(tmp_path), num_classes=2)
    val = DATASETS.build(dict(build, split='val'))
    assert paths_and_labels(DATASETS.build(build)) == [('n01_a.JPEG', 0), ('n02_a.JPEG', 1)]
    assert paths_and_labels(val) == [('val_n01.JPEG', 0), ('val_n02.JPEG', 1)]
    assert val.metainfo['classes'] == ('n01', 'n02')


def write_list(root, text):
    (root / 'meta').mkdir(exist_ok=True)
    (root / 'meta' / 'val.txt').write_text(text)


@pytest.mark.parametrize(
    'text, words',
    [
        ('a.JPEG 0\nb.JPEG 1\nc.JPEG 7\n', 'got 2 folders and images of 3 classes.*with meta/val.txt, correct it'),
        ('a.JPEG 0\na.JPEG\n', "'FILE LABEL' in .*val.txt"),
        ('a.JPEG 1\n', 'images of 1 classes'),
    ],
    ids=['labels of more classes', 'malformed', 'a class without images'],
)
def test_lists_that_do_not_fit_the_folders_of_the_training_set(text, words, tmp_path):
    for wnid in ('n02', 'n05'):
        write_images(tmp_path / 'train' / wnid, ['a.JPEG'])
    write_images(tmp_path / 'val', ['a.JPEG', 'b.JPEG', 'c.JPEG'])
    write_list(tmp_path, text)
    with pytest.raises(ValueError, match=words):
        ImageNetSubset(str(tmp_path), 2, split='val')


def test_faulty_folders_of_imagenet_are_named(tmp_path):
    train = tmp_path / 'train'
    write_images(train / 'n01', ['a.JPEG'])
    with pytest.raises(ValueError, match='num_classes = 5.*got 1 folders'):
        ImageNetSubset(str(tmp_path), 5)
    with pytest.raises(FileNotFoundError, match='val.*IMAGENET_ROOT'):
        ImageNetSubset(str(tmp_path), 5, split='val')
    (train / 'n02').mkdir()
    with pytest.raises(ValueError, match='got 2 folders and images of 1 classes. Remove empty'):
        ImageNetSubset(str(tmp_path), 2)
    write_images(train / 'n02', ['a.JPEG'])
    write_images(train / '.cache', ['a.JPEG'])
    with pytest.raises(ValueError, match='got 2 folders and images of 3 classes.*hidden'):
        ImageNetSubset(str(tmp_path), 2)


def test_both_splits_of_imagenet_have_the_classes_of_the_training_set(tmp_path):
    """Folders with other names have other labels."""
    for split, wnids in (('train', ('n1', 'n2', 'n3')), ('val', ('n1', 'n3', 'n4'))):
        for wnid in wnids:
            write_images(tmp_path / split / wnid, [f'{wnid}.JPEG'])
    with pytest.raises(ValueError, match='images of exactly these classes in .*val'):
        ImageNetSubset(str(tmp_path), 2, split='val')
    (tmp_path / 'val' / 'n4').rename(tmp_path / 'val' / 'n2')
    assert ImageNetSubset(str(tmp_path), 2, split='val').metainfo['classes'] == ('n1', 'n2')
    (tmp_path / 'train').rename(tmp_path / 'elsewhere')
    with pytest.raises(FileNotFoundError, match='/train/.*IMAGENET_ROOT.*classes of both'):
        ImageNetSubset(str(tmp_path), 2, split='val')


def test_annotations_of_tiny_imagenet_without_its_classes_are_refused(tmp_path):
    root = tiny_imagenet(tmp_path)
    for text in ('', 'val_0.JPEG\tn09\t0\t0\t63\t63\n'):
        (root / 'val' / 'val_annotations.txt').write_text(text)
        with pytest.raises(ValueError, match='val_annotations.txt.*3 classes'):
            TinyImageNet(str(root), split='val')
