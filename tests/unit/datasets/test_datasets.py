import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import DATASETS

from mmpod import config_file
from mmpod.datasets import CIFAR10AnyLayout, FaceScrub, SklearnDigits
from mmpod.datasets.class_subset import ClassSubset

CLASSES = CIFAR10AnyLayout.METAINFO['classes']


def test_image_folder(image_folder):
    root = image_folder(CLASSES, per_class=3)
    dataset = CIFAR10AnyLayout(str(root), split='test')
    assert len(dataset) == 30
    assert [dataset[i]['gt_label'] for i in range(30)] == [label for label in range(10) for _ in range(3)]
    pixels = cv2.imread(str(root / 'test' / 'airplane' / '0001.png'))
    np.testing.assert_array_equal(dataset[1]['img'], pixels)


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
    np.testing.assert_array_equal(dataset[0]['img'], pixels[0].reshape(3, 32, 32)[::-1].transpose(1, 2, 0))


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
    with pytest.raises(ValueError, match='at most 3, .*airplane.*2 and 2'):
        CIFAR10AnyLayout(str(root), samples_per_class=2, skip_per_class=2)
    with pytest.raises(ValueError, match='at most 3, .*airplane.*3 and None'):
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
    root = image_folder(CLASSES, per_class=1)
    cv2.imwrite(str(root / 'train' / 'cat' / '0000.png'), np.zeros((16, 32, 3), np.uint8))
    with pytest.raises(ValueError, match=r'cat/0000.png.*32 x 32.*\(16, 32\)'):
        CIFAR10AnyLayout(str(root))


def test_hidden_folders_are_not_classes(image_folder):
    import shutil

    from mmpod.datasets import UnlabelledImages

    root = image_folder(CLASSES, per_class=1)
    shutil.copytree(root / 'train' / 'cat', root / 'train' / '.ipynb_checkpoints')
    assert len(CIFAR10AnyLayout(str(root))) == 10
    assert len(UnlabelledImages(str(root / 'train'))) == 10
    assert len(UnlabelledImages(str(image_folder(CLASSES, per_class=1, root=root / '.hidden')))) == 20


def test_unknown_split():
    with pytest.raises(ValueError, match="split.*'val'"):
        CIFAR10AnyLayout('data', split='val')


def test_digits():
    train, test = (DATASETS.build(dict(type='mmpod.SklearnDigits', split=split)) for split in ('train', 'test'))
    assert (len(train), len(test)) == (1297, 500)
    assert train[0]['img'].shape == (8, 8, 3) and train[0]['img'].dtype == np.uint8
    from sklearn.datasets import load_digits

    gray, labels = load_digits(return_X_y=True)
    np.testing.assert_array_equal(test[0]['img'][..., 2].ravel(), np.rint(gray[1297] * 255 / 16))
    assert [test[i]['gt_label'] for i in range(500)] == labels[1297:].tolist()
    with pytest.raises(ValueError, match='split'):
        SklearnDigits(split='val')


PEOPLE = [f'person {index:03d}' for index in range(100)]


def test_facescrub_reaches_the_model_as_it_is_in_its_files(image_folder, monkeypatch):
    root = image_folder(PEOPLE, per_class=1, size=64)
    cv2.imwrite(str(root / 'train' / PEOPLE[3] / '0001.webp'), np.zeros((64, 64, 3), np.uint8))
    monkeypatch.setenv('FACESCRUB_ROOT', str(root))
    init_default_scope('mmpretrain')
    cfg = Config.fromfile(config_file('_base_/datasets/facescrub_bs128'))
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    assert len(dataset) == 100 and list(dataset.metainfo['classes']) == PEOPLE
    sample, bgr = dataset[7], cv2.imread(str(root / 'test' / PEOPLE[7] / '0000.png'))
    assert sample['data_samples'].gt_label == 7 and cfg.data_preprocessor.to_rgb
    np.testing.assert_array_equal(sample['inputs'].permute(1, 2, 0), bgr)
    train = DATASETS.build(cfg.train_dataloader.dataset)
    assert (
        len(train) == 101 and train[0]['inputs'].shape == (3, 64, 64) and '/train/' in train[0]['data_samples'].img_path
    )
    cv2.imwrite(str(root / 'test' / PEOPLE[7] / '0000.png'), bgr[:50])
    assert dataset[7]['inputs'].shape == (3, 64, 64)


def test_missing_facescrub_says_where_and_how(tmp_path):
    with pytest.raises(ValueError, match='split'):
        FaceScrub(str(tmp_path), split='val')
    with pytest.raises(FileNotFoundError, match='nowhere/train.*FACESCRUB_ROOT.*http'):
        FaceScrub(str(tmp_path / 'nowhere'))


def test_class_counts_make_an_imbalanced_set(image_folder):
    root = image_folder(CLASSES, per_class=3)
    counts = [3, 3, 3, 2, 2, 2, 1, 1, 1, 1]
    part = CIFAR10AnyLayout(str(root), samples_per_class=counts)
    assert np.bincount([part[i]['gt_label'] for i in range(len(part))]).tolist() == counts
    with pytest.raises(ValueError, match='each of the 10 classes.*got 2'):
        CIFAR10AnyLayout(str(root), samples_per_class=[3, 3])
    with pytest.raises(ValueError, match='samples_per_class.*0'):
        CIFAR10AnyLayout(str(root), samples_per_class=[3] * 9 + [0])


def test_label_noise_changes_its_share_of_the_labels_to_other_classes():
    samples = [dict(gt_label=index % 10) for index in range(5000)]
    noisy = ClassSubset(label_noise=0.4).of(samples, CLASSES)
    wrong = [(old['gt_label'], new['gt_label']) for old, new in zip(samples, noisy) if old != new]
    assert len(wrong) == 2000
    pairs = np.zeros((10, 10), dtype=int)
    np.add.at(pairs, tuple(np.transpose(wrong)), 1)
    assert np.diagonal(pairs).sum() == 0
    # 90 pairs of classes share 2,000 samples, each about 22 with a standard deviation of 5.
    assert pairs[~np.eye(10, dtype=bool)].min() > 5
    assert pairs.max() < 45
    # Those of the recorded runs, `results/when_noise.jsonl`.
    assert [sample['gt_label'] for sample in noisy[:20]] == [
        *(1, 6, 2, 7, 4, 5, 6, 7, 6, 9),
        *(1, 6, 8, 3, 4, 5, 1, 2, 9, 9),
    ]
    assert ClassSubset(samples_per_class=2, label_noise=1).of(samples, CLASSES)[0]['gt_label'] != 0
    with pytest.raises(ValueError, match='label_noise.*1.5'):
        ClassSubset(label_noise=1.5)
