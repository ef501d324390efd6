from pathlib import Path

import numpy as np
import pytest
from mmpretrain.registry import DATASETS

from mmpod.datasets import CIFAR10AnyLayout, FaceScrub, ImageNetSubset, SklearnDigits, TinyImageNet

CLASSES = CIFAR10AnyLayout.METAINFO['classes']
ARCHIVE = Path(__file__).resolve().parents[2].parent / 'shared' / 'data' / 'cifar10-jpeg.tar.xz'


def test_image_folder(image_folder):
    root = image_folder(CLASSES, per_class=3)
    dataset = CIFAR10AnyLayout(str(root), split='test')
    assert len(dataset) == 30
    assert [dataset[i]['gt_label'] for i in range(30)] == [label for label in range(10) for _ in range(3)]
    import cv2

    pixels = cv2.imread(str(root / 'test' / 'airplane' / '0001.png'))
    np.testing.assert_array_equal(dataset[1]['img'], pixels[..., ::-1])  # OpenCV reads blue first; ours is RGB


def test_official_archive(tmp_path):
    """The binary files, written here in their format, through mmpretrain's reader."""
    import pickle

    random = np.random.RandomState(0)
    folder = tmp_path / CIFAR10AnyLayout.base_folder
    folder.mkdir()
    names = [name for name, _ in CIFAR10AnyLayout.train_list + CIFAR10AnyLayout.test_list]
    pixels = random.randint(0, 256, (20, 3072), np.uint8)
    for name in names:
        (folder / name).write_bytes(pickle.dumps(dict(data=pixels, labels=[i % 10 for i in range(20)])))

    class WithoutChecksums(CIFAR10AnyLayout):
        train_list = [[name, None] for name, _ in CIFAR10AnyLayout.train_list]
        test_list = [[name, None] for name, _ in CIFAR10AnyLayout.test_list]

    dataset = WithoutChecksums(str(tmp_path), split='train', samples_per_class=3)
    assert len(dataset) == 30
    assert np.bincount([dataset[i]['gt_label'] for i in range(30)]).tolist() == [3] * 10
    np.testing.assert_array_equal(dataset[0]['img'], pixels[0].reshape(3, 32, 32).transpose(1, 2, 0))


def test_subset_is_the_first_of_each_class(image_folder):
    root = image_folder(CLASSES, per_class=3)
    whole, part = CIFAR10AnyLayout(str(root)), CIFAR10AnyLayout(str(root), samples_per_class=2)
    assert len(part) == 20
    for label in range(10):
        for index in range(2):
            np.testing.assert_array_equal(part[2 * label + index]['img'], whole[3 * label + index]['img'])
    with pytest.raises(ValueError, match='samples_per_class.*3.*airplane.*4'):
        CIFAR10AnyLayout(str(root), samples_per_class=4)


def test_held_out_part_has_nothing_of_the_subset(image_folder):
    root = image_folder(CLASSES, per_class=3)
    whole = CIFAR10AnyLayout(str(root))
    rest = CIFAR10AnyLayout(str(root), skip_per_class=1)
    one = CIFAR10AnyLayout(str(root), samples_per_class=1, skip_per_class=1)
    assert (len(rest), len(one)) == (20, 10)
    for label in range(10):
        np.testing.assert_array_equal(one[label]['img'], whole[3 * label + 1]['img'])
        np.testing.assert_array_equal(rest[2 * label + 1]['img'], whole[3 * label + 2]['img'])
    with pytest.raises(ValueError, match='3 samples.*airplane.*2 and 2'):
        CIFAR10AnyLayout(str(root), samples_per_class=2, skip_per_class=2)
    with pytest.raises(ValueError, match='3 samples.*airplane.*3 and None'):
        CIFAR10AnyLayout(str(root), skip_per_class=3)


def test_missing_data_says_where_and_how(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        CIFAR10AnyLayout(str(tmp_path / 'nowhere'), download=False)
    assert str(tmp_path / 'nowhere' / 'train') in str(caught.value) and 'http' in str(caught.value)


def test_distributed_start_does_not_download(tmp_path, monkeypatch):
    monkeypatch.setattr('mmpod.datasets.cifar.get_world_size', lambda: 2)
    with pytest.raises(FileNotFoundError, match='single process'):
        CIFAR10AnyLayout(str(tmp_path / 'nowhere'))


def test_download_that_fails_says_where_and_how(tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise OSError('no route to host')

    monkeypatch.setattr('mmpretrain.datasets.cifar.download_and_extract_archive', no_network)
    with pytest.raises(FileNotFoundError, match='nowhere.*no route to host'):
        CIFAR10AnyLayout(str(tmp_path / 'nowhere'))


def test_faulty_folders_are_named(image_folder):
    root = image_folder(CLASSES, per_class=1)
    (root / 'train' / 'bird' / '0000.png').write_bytes(b'no image')
    with pytest.raises(ValueError, match='bird/0000.png'):
        CIFAR10AnyLayout(str(root))
    whole = (root / 'train' / 'cat' / '0000.png').read_bytes()
    (root / 'train' / 'bird' / '0000.png').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match='bird/0000.png'):
        CIFAR10AnyLayout(str(root))
    (root / 'train' / 'bird' / '0000.png').unlink()
    with pytest.raises(FileNotFoundError, match='train/bird'):
        CIFAR10AnyLayout(str(root))
    (root / 'train' / 'bird').rmdir()
    with pytest.raises(FileNotFoundError, match="'bird'"):
        CIFAR10AnyLayout(str(root))
    (root / 'train' / 'penguin').mkdir()
    (root / 'train' / 'bird').mkdir()
    with pytest.raises(ValueError, match="'penguin'"):
        CIFAR10AnyLayout(str(root))


def test_image_of_another_size_is_named(image_folder):
    import cv2

    root = image_folder(CLASSES, per_class=1)
    cv2.imwrite(str(root / 'train' / 'cat' / '0000.png'), np.zeros((16, 32, 3), np.uint8))
    with pytest.raises(ValueError, match=r'cat/0000.png.*32 x 32.*\(16, 32\)'):
        CIFAR10AnyLayout(str(root))


def test_unknown_split():
    with pytest.raises(ValueError, match="split.*'val'"):
        CIFAR10AnyLayout('data', split='val')


def test_digits():
    train, test = (DATASETS.build(dict(type='mmpod.SklearnDigits', split=split)) for split in ('train', 'test'))
    assert (len(train), len(test)) == (1297, 500)
    assert train[0]['img'].shape == (8, 8, 3) and train[0]['img'].dtype == np.uint8
    from sklearn.datasets import load_digits

    grey, labels = load_digits(return_X_y=True)
    np.testing.assert_array_equal(test[0]['img'][..., 2].ravel(), np.rint(grey[1297] * 255 / 16))
    assert [test[i]['gt_label'] for i in range(500)] == labels[1297:].tolist()
    with pytest.raises(ValueError, match='split'):
        SklearnDigits(split='val')


PEOPLE = [f'person {index:03d}' for index in range(100)]


def test_facescrub(image_folder):
    root = image_folder(PEOPLE, per_class=1, size=64)
    dataset = DATASETS.build(dict(type='mmpod.FaceScrub', data_root=str(root), split='test'))
    assert len(dataset) == 100 and dataset[7]['gt_label'] == 7 and dataset[7]['img'].shape == (64, 64, 3)
    assert list(dataset.metainfo['classes']) == PEOPLE
    with pytest.raises(ValueError, match='split'):
        FaceScrub(str(root), split='val')
    (root / 'train' / PEOPLE[3]).rename(root / 'somebody')
    with pytest.raises(ValueError, match='100 people, but got 99'):
        FaceScrub(str(root))
    with pytest.raises(FileNotFoundError, match='nowhere/train.*FACESCRUB_ROOT.*http'):
        FaceScrub(str(root / 'nowhere'))


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
    with pytest.raises(ValueError, match='2 samples.*n01.*2 and 1'):
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
    assert paths_and_labels(DATASETS.build(build)) == [('n01_a.JPEG', 0), ('n02_a.JPEG', 1)]
    assert paths_and_labels(DATASETS.build(dict(build, split='val'))) == [('val_n01.JPEG', 0), ('val_n02.JPEG', 1)]


def test_faulty_imagenet_subset_is_named(tmp_path):
    write_images(tmp_path / 'train' / 'n01', ['a.JPEG'])
    with pytest.raises(ValueError, match='num_classes = 5.*got 1'):
        ImageNetSubset(str(tmp_path), 5)
    with pytest.raises(FileNotFoundError, match='val.*IMAGENET_ROOT'):
        ImageNetSubset(str(tmp_path), 5, split='val')
    (tmp_path / 'train' / 'n02').mkdir()
    with pytest.raises(FileNotFoundError, match='train/n02'):
        ImageNetSubset(str(tmp_path), 2)


@pytest.mark.slow
@pytest.mark.skipif(not ARCHIVE.is_file(), reason=f'{ARCHIVE} is not there')
def test_all_of_cifar10_as_jpeg(tmp_path):
    import tarfile

    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path)
    for split, size in (('train', 50000), ('test', 10000)):
        dataset = CIFAR10AnyLayout(str(tmp_path / 'cifar10'), split=split)
        assert len(dataset) == size
        assert np.bincount([dataset.get_data_info(i)['gt_label'] for i in range(size)]).tolist() == [size // 10] * 10


@pytest.mark.slow
@pytest.mark.skipif(not (ARCHIVE.parent / 'tiny-imagenet-200.part1.tar.xz').is_file(), reason='no archive of it')
def test_all_of_tiny_imagenet(tmp_path):
    import tarfile

    for part in sorted(ARCHIVE.parent.glob('tiny-imagenet-200.part*.tar.xz')):
        with tarfile.open(part) as archive:
            archive.extractall(tmp_path)
    for split, size in (('train', 100000), ('val', 10000)):
        dataset = TinyImageNet(str(tmp_path / 'tiny-imagenet-200'), split=split)
        labels = [dataset.get_data_info(index)['gt_label'] for index in range(len(dataset))]
        assert np.bincount(labels).tolist() == [size // 200] * 200
