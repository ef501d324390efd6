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
    (root / 'val' / 'val_annotations.txt').write_text(''.join(lines))
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
    broken = root / 'train' / 'n01' / 'images' / 'n01_0.JPEG'
    broken.write_bytes(broken.read_bytes()[:300])
    with pytest.raises(AssertionError, match='n01_0.JPEG'):  # images are read while training
        TinyImageNet(str(root), num_classes=3, pipeline=[dict(type='LoadImageFromFile')])[0]
    (root / 'val' / 'images' / 'val_3.JPEG').unlink()
    with pytest.raises(FileNotFoundError, match='val_3.JPEG'):
        TinyImageNet(str(root), split='val')
    for path in (root / 'train' / 'n02' / 'images').iterdir():
        path.unlink()
    with pytest.raises(FileNotFoundError, match='n02/images'):
        TinyImageNet(str(root), num_classes=3)


@pytest.mark.parametrize('flat', [False, True])
def test_imagenet_subset(flat, tmp_path):
    for wnid in ('n03', 'n01', 'n02'):
        write_images(tmp_path / 'train' / wnid, [f'{wnid}_a.JPEG'])
        if not flat:
            write_images(tmp_path / 'val' / wnid, [f'val_{wnid}.JPEG'])
    if flat:
        write_images(tmp_path / 'val', [f'val_n0{k}.JPEG' for k in (1, 2, 3)])
        (tmp_path / 'meta').mkdir()
        (tmp_path / 'meta' / 'val.txt').write_text('val_n03.JPEG 2\nval_n01.JPEG 0\nval_n02.JPEG 1\n')
    build = dict(type='mmpod.ImageNetSubset', data_root=str(tmp_path), num_classes=2)
    val = DATASETS.build(dict(build, split='val'))
    assert paths_and_labels(DATASETS.build(build)) == [('n01_a.JPEG', 0), ('n02_a.JPEG', 1)]
    assert paths_and_labels(val) == [('val_n01.JPEG', 0), ('val_n02.JPEG', 1)]
    assert val.metainfo['classes'] == ('n01', 'n02')


def test_a_list_that_numbers_other_classes_than_the_training_set(tmp_path):
    """A part of ImageNet's folders beside the list of all: label 1 is another class in each."""
    for wnid in ('n02', 'n05'):
        write_images(tmp_path / 'train' / wnid, ['a.JPEG'])
    write_images(tmp_path / 'val', ['a.JPEG'])
    (tmp_path / 'meta').mkdir()
    (tmp_path / 'meta' / 'val.txt').write_text('a.JPEG 1\nb.JPEG 7\n')
    with pytest.raises(ValueError, match='go up to 7 and there are 2 folders.*val/<wnid>/'):
        ImageNetSubset(str(tmp_path), 2, split='val')


def test_faulty_imagenet_subset_is_named(tmp_path):
    write_images(tmp_path / 'train' / 'n01', ['a.JPEG'])
    with pytest.raises(ValueError, match='num_classes = 5.*got 1'):
        ImageNetSubset(str(tmp_path), 5)
    with pytest.raises(FileNotFoundError, match='val.*IMAGENET_ROOT'):
        ImageNetSubset(str(tmp_path), 5, split='val')
    (tmp_path / 'train' / 'n02').mkdir()
    with pytest.raises(FileNotFoundError, match='train/n02'):
        ImageNetSubset(str(tmp_path), 2)


def test_both_splits_of_imagenet_have_the_classes_of_the_training_set(tmp_path):
    for split, wnids in (('train', ('.cache', 'n1', 'n2', 'n3')), ('val', ('n2', 'n3'))):
        for wnid in wnids:
            write_images(tmp_path / split / wnid, [f'{wnid}.JPEG'])
    train = ImageNetSubset(str(tmp_path), 2)
    assert train.metainfo['classes'] == ('n1', 'n2') and paths_and_labels(train) == [('n1.JPEG', 0), ('n2.JPEG', 1)]
    with pytest.raises(FileNotFoundError, match='val/n1'):
        ImageNetSubset(str(tmp_path), 2, split='val')
    write_images(tmp_path / 'val' / 'n1', ['n1.JPEG'])
    (tmp_path / 'meta').mkdir()
    (tmp_path / 'meta' / 'val.txt').write_text('flat.JPEG 0\n')  # of the other layout, whose images are not there
    val = ImageNetSubset(str(tmp_path), 2, split='val')
    assert val.metainfo['classes'] == ('n1', 'n2') and paths_and_labels(val) == [('n1.JPEG', 0), ('n2.JPEG', 1)]
    (tmp_path / 'train').rename(tmp_path / 'elsewhere')
    with pytest.raises(FileNotFoundError, match='/train/.*IMAGENET_ROOT.*classes of both'):
        ImageNetSubset(str(tmp_path), 2, split='val')


@pytest.mark.parametrize(
    'error, words, text',
    [
        (FileNotFoundError, 'val/lost.JPEG.*val.txt', 'a b.JPEG 0\nlost.JPEG 1\n'),
        (ValueError, "line 2 of .*val.txt.*'a b.JPEG'", 'a b.JPEG 0\na b.JPEG\n'),
        (ValueError, "line 1 of .*val.txt.*'name'", 'name\n'),
        (ValueError, 'val.txt.*num_classes = 2', ''),
        (ValueError, 'val.txt.*num_classes = 2', 'a b.JPEG 2\n'),
    ],
)
def test_faulty_list_of_imagenet_is_named(error, words, text, tmp_path):
    write_images(tmp_path / 'val', ['a b.JPEG'])
    (tmp_path / 'meta').mkdir()
    annotations = tmp_path / 'meta' / 'val.txt'
    annotations.write_text('\n a b.JPEG\t1 \n\nlost.JPEG 7\n')  # without a training set
    assert paths_and_labels(ImageNetSubset(str(tmp_path), 2, split='val')) == [('a b.JPEG', 1)]
    annotations.write_text(text)
    with pytest.raises(error, match=words):
        ImageNetSubset(str(tmp_path), 2, split='val')


def test_faulty_annotations_of_tiny_imagenet_are_named(tmp_path):
    root = tiny_imagenet(tmp_path)
    annotations = root / 'val' / 'val_annotations.txt'
    annotations.write_text('\nval_0.JPEG\tn02\n \n')
    assert paths_and_labels(TinyImageNet(str(root), split='val')) == [('val_0.JPEG', 1)]
    for text, words in (
        ('val_0.JPEG\tn02\nval_1.JPEG n02\n', "line 2 of .*val_annotations.txt.*'val_1.JPEG n02'"),
        ('val_0.JPEG\tn09\n', 'val_annotations.txt.*3 classes'),
        ('', 'val_annotations.txt.*3 classes'),
    ):
        annotations.write_text(text)
        with pytest.raises(ValueError, match=words):
            TinyImageNet(str(root), split='val')
