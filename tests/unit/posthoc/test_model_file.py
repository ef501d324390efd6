"""Files of fitted models that were damaged or tampered with are refused, in the reader's own words."""

import json

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


@pytest.mark.parametrize('covariance', ['class', 'shared'])
@pytest.mark.parametrize(
    'words, changed',
    [
        ('log_priors', dict(log_priors=[5, np.inf, 0])),
        ('log_priors', dict(log_priors=[5.0, 5.0, 0.0])),
        (r'shrinkage.*\[0, 1\]', dict(shrinkage=1.5)),
        (r'shrinkage.*\[0, 1\]', dict(shrinkage=-0.1)),
        (r'fallback.*\[0, 3\)', dict(fallback=[3])),
        (r'fallback.*\[0, 3\)', dict(fallback=[-1])),
        ('3 `priors`', dict(priors=[0.5, 0.5])),
        ('3 `priors`', dict(priors=[])),
        ('notes', dict(notes=None)),
        ('written by GaussianDiscriminantAnalysis.save', dict(notes=[1])),
    ],
)
def test_values_out_of_range_are_named(covariance, words, changed, tmp_path):
    path = save(tmp_path / 'model.npz', covariance=covariance)
    arrays = dict(np.load(path))
    header = json.loads(str(arrays['header']))
    for name, value in changed.items():
        if name == 'notes':
            header = {**header, 'notes': value} if value else {key: header[key] for key in ('format', 'settings')}
        elif name == 'priors':
            header['settings']['priors'] = value
        else:
            arrays[name] = np.broadcast_to(np.array(value, arrays[name].dtype), np.shape(value) or arrays[name].shape)
    np.savez(path, **{**arrays, 'header': np.array(json.dumps(header))})
    with pytest.raises(ValueError, match=words) as caught:
        GaussianDiscriminantAnalysis.load(path)
    assert 'model.npz' in str(caught.value)


def test_every_damaged_byte_is_refused_or_harmless(tmp_path):
    """zipfile, zlib and NumPy raise a dozen kinds of errors, of which none may get through."""
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
            assert (model.covariance_ == whole.covariance_).all() and (model.priors_ == whole.priors_).all()
    assert refused > 100


def test_a_file_of_another_number_of_classes_is_refused_by_the_classifier(tmp_path):
    path = save(tmp_path / 'model.npz')

    def build(num_classes):
        head = dict(type='mmpod.PEDCCHead', num_classes=num_classes, in_channels=8, feat_dim=16)
        return MODELS.build(dict(type='mmpod.GDAClassifier', backbone=dict(type='LeNet5'), head=head, fitted=str(path)))

    assert len(build(3).gda.counts_) == 3
    with pytest.raises(ValueError, match="head's 10 classes, but got 3 in .*model.npz.*FitGDAHook"):
        build(10)
