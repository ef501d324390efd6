"""The cache of features tells when the data behind it have changed."""

import os

import pytest
import torch
from mmpretrain.datasets import CustomDataset
from torch.utils.data import TensorDataset

from mmpod.datasets import CIFAR10AnyLayout
from mmpod.posthoc.feature_cache import FeatureCache, digest_of_samples

CLASSES = CIFAR10AnyLayout.METAINFO['classes']


def test_digest_of_files_tells_every_change(image_folder):
    root = image_folder(['a', 'b'], splits=('train',)) / 'train'

    def digest():
        return digest_of_samples(CustomDataset(data_root=str(root), with_label=True))

    digests = [digest()]
    assert digest() == digests[0]
    image = root / 'a' / '0000.png'
    os.utime(image, ns=(0, 7))  # written again, with as many bytes
    digests.append(digest())
    image.write_bytes(image.read_bytes() + b'more')
    os.utime(image, ns=(0, 7))
    digests.append(digest())
    image.rename(root / 'a' / 'renamed.png')
    digests.append(digest())
    (root / 'b' / '0000.png').unlink()
    digests.append(digest())
    assert len(set(digests)) == 5


def test_digest_of_images_in_memory_tells_every_change(image_folder):
    root = image_folder(CLASSES)
    first = digest_of_samples(CIFAR10AnyLayout(str(root)))
    assert first == digest_of_samples(CIFAR10AnyLayout(str(root)))
    assert first != digest_of_samples(CIFAR10AnyLayout(str(root), samples_per_class=1))
    image, other = (root / 'train' / name / '0000.png' for name in ('cat', 'dog'))
    image.write_bytes(other.read_bytes())
    assert first != digest_of_samples(CIFAR10AnyLayout(str(root)))


def test_digest_of_a_dataset_without_a_list_is_its_length():
    rows = [TensorDataset(torch.zeros(num)) for num in (3, 3, 4)]
    first, second, third = map(digest_of_samples, rows)
    assert first == second != third


@pytest.mark.parametrize('text', ['', '{"stage": "poo', '7', 'null'])
def test_damaged_note_is_named(text, tmp_path):
    (tmp_path / 'provenance.json').write_text(text)
    with pytest.raises(ValueError, match='provenance.json.*damaged.*Remove the folder'):
        FeatureCache(str(tmp_path), dict(stage='pooled'))


def test_note_is_whole_or_not_there(tmp_path, monkeypatch):
    def cut_off(*args):
        raise KeyboardInterrupt

    cache = FeatureCache(str(tmp_path), dict(stage='pooled'))
    cache.create(2, 3)
    with monkeypatch.context() as patch:
        patch.setattr('pathlib.Path.replace', cut_off)
        with pytest.raises(KeyboardInterrupt):
            cache.finish()
    assert not FeatureCache(str(tmp_path), dict(stage='pooled')).complete
    cache.finish()
    assert FeatureCache(str(tmp_path), dict(stage='pooled')).complete
    with pytest.raises(ValueError, match='differ: stage '):
        FeatureCache(str(tmp_path), dict(stage='pre_logits'))
