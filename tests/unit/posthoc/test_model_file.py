"""Files of fitted models that were damaged or tampered with are refused in one sentence."""

import json
import pickle

import numpy as np
import pytest
from mmpretrain.registry import MODELS

from mmpod.posthoc import GaussianDiscriminantAnalysis


def save(path, num_classes=3, **settings):
    random = np.random.RandomState(0)
    labels = np.arange(60) % num_classes
    features = random.standard_normal((60, 4)) + labels[:, None]
    GaussianDiscriminantAnalysis(**settings).fit(features, labels).save(path)
    return path


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='model.npz'):
        GaussianDiscriminantAnalysis.load(tmp_path / 'model.npz')


@pytest.mark.parametrize('covariance', ['class', 'shared'])
@pytest.mark.parametrize(
    'words, changed',
    [
        ('means', dict(means=None)),
        ('counts', dict(counts=None)),
        ('allow_pickle=False', dict(means=np.array(dict(a=1), dtype=object))),
        ('shrinkage', dict(settings=dict(shrinkage=2))),
        ('unknown', dict(settings=dict(unknown=2))),
        ("format is 'other'", dict(format='other')),
        ('notes', dict(notes=None)),
    ],
)
def test_contents_that_do_not_match_are_named(covariance, words, changed, tmp_path):
    path = save(tmp_path / 'model.npz', covariance=covariance)
    arrays = dict(np.load(path))
    header = json.loads(str(arrays.pop('header')))
    for name, value in changed.items():
        target = header if name in header else arrays
        if value is None:
            del target[name]
        else:
            target[name] = {**header[name], **value} if isinstance(value, dict) else value
    np.savez(path, header=np.array(json.dumps(header)), **arrays)
    with pytest.raises(ValueError, match=rf'(?s)Expected `.*model.npz` to come from .*{words}.*Fit again'):
        GaussianDiscriminantAnalysis.load(path)


def test_foreign_and_truncated_files_are_refused_and_pickles_not_executed(tmp_path):
    class Harmful:
        def __reduce__(self):
            return (tmp_path / 'executed').mkdir, ()

    whole = save(tmp_path / 'model.npz').read_bytes()
    for content in (pickle.dumps(Harmful()), b'', b'not an archive', whole[:500], whole[:-1]):
        (tmp_path / 'model.npz').write_bytes(content)
        with pytest.raises(ValueError, match='model.npz'):
            GaussianDiscriminantAnalysis.load(tmp_path / 'model.npz')
    for others in (dict(header=np.array(Harmful(), dtype=object)), dict(features=np.zeros((3, 2)))):
        np.savez(tmp_path / 'model.npz', **others)
        with pytest.raises(ValueError, match='model.npz'):
            GaussianDiscriminantAnalysis.load(tmp_path / 'model.npz')
    assert not (tmp_path / 'executed').exists()


def test_every_damaged_byte_is_refused_or_harmless(tmp_path):
    """zipfile, zlib and NumPy raise a dozen kinds of errors, none of which may get through."""
    path = save(tmp_path / 'model.npz')
    content = path.read_bytes()
    whole = GaussianDiscriminantAnalysis.load(path)
    random = np.random.RandomState(0)
    refused = 0
    for position in random.choice(len(content), 400, replace=False):
        damaged = bytearray(content)
        damaged[position] ^= int(random.randint(1, 256))
        path.write_bytes(damaged)
        try:
            model = GaussianDiscriminantAnalysis.load(path)
        except ValueError as error:
            assert 'model.npz' in str(error)
            refused += 1
        else:
            assert (model.covariance_ == whole.covariance_).all() and (model.priors_ == whole.priors_).all()  # padding
    assert refused > 100


def test_a_file_of_another_number_of_classes_is_refused_by_the_classifier(tmp_path):
    path = save(tmp_path / 'model.npz')

    def build(num_classes):
        head = dict(type='mmpod.PEDCCHead', num_classes=num_classes, in_channels=8, feat_dim=16)
        return MODELS.build(dict(type='mmpod.GDAClassifier', backbone=dict(type='LeNet5'), head=head, fitted=str(path)))

    assert len(build(3).gda.counts_) == 3
    with pytest.raises(ValueError, match="head's 10 classes, but got 3 in .*model.npz.*FitGDAHook"):
        build(10)
