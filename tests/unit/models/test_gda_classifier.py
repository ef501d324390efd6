"""GDAClassifier's predictions against scikit-learn's and SciPy's on the features of its head."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch.testing import assert_close


def classifier(**settings):
    """Three classes in five dimensions; always the same weights."""
    init_default_scope('mmpretrain')
    torch.manual_seed(0)
    head = dict(type='mmpod.PEDCCHead', num_classes=3, in_channels=120, feat_dim=5)
    parts = dict(backbone=dict(type='LeNet5'), neck=dict(type='GlobalAveragePooling'), head=head)
    return MODELS.build(dict(type='mmpod.GDAClassifier', **parts, **settings)).eval()


@pytest.mark.parametrize('normalize', [True, False])
@torch.no_grad()
def test_predictions_are_those_of_linear_discriminant_analysis(normalize):
    model = classifier(covariance='shared', shrinkage=0.1, normalize=normalize)
    images, labels = torch.randn(60, 1, 32, 32), np.arange(60) % 3
    rows = model.extract_feat(images, stage='pre_logits').double().numpy()
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True) if normalize else rows
    lda = LinearDiscriminantAnalysis(solver='lsqr', shrinkage=0.1, store_covariance=True).fit(rows, labels)
    joint = [np.log(1 / 3) + multivariate_normal.logpdf(rows, mean, lda.covariance_) for mean in lda.means_]
    scores = 1 / (1 + (np.max(joint, axis=0) - joint) / 5)

    model.gda = model.unfitted_gda().fit(rows, labels)
    samples = model.predict(images)
    decisions, predicted, densities = (
        torch.stack([sample.get(name) for sample in samples]).double().squeeze().numpy()
        for name in ('pred_label', 'pred_score', 'log_density')
    )
    assert (decisions == lda.predict(rows)).all()
    assert_close(predicted, (scores / scores.sum(axis=0)).T, rtol=1e-4, atol=0)
    assert_close(densities, logsumexp(joint, axis=0), rtol=1e-4, atol=0)


@pytest.mark.parametrize(
    'changed, name',
    [
        (dict(normalize=False), 'normalize'),
        (dict(stage='pooled'), 'stage'),
        (dict(data_preprocessor=dict(mean=[9.0], std=[1.0])), 'mean'),
    ],
)
def test_a_model_of_other_features_refuses_the_gaussians(changed, name, tmp_path):
    model, path = classifier(**changed), str(tmp_path / 'gda.npz')
    model.unfitted_gda().fit(torch.randn(30, 5), torch.arange(30) % 3).save(path, notes=model.feature_source())
    with pytest.raises(ValueError, match=rf'gda.npz.*these differ: {name}\.'):
        classifier(fitted=path).predict(torch.randn(1, 1, 32, 32))


@pytest.mark.parametrize(
    'given, refused',
    [
        (dict(), None),
        (dict(covariance='shared', shrinkage=0.1, priors=[0.2, 0.3, 0.5]), None),
        (dict(covariance='class'), "`covariance` .* 'shared', with which .*gda.npz.* got 'class'"),
        (dict(shrinkage='auto'), "`shrinkage` .* 0.1, with which .*gda.npz.* got 'auto'"),
        (dict(priors=[0.3, 0.2, 0.5]), r'`priors` .* \(0.2, 0.3, 0.5\), with which .*gda.npz.* got \(0.3, 0.2, 0.5\)'),
    ],
)
def test_settings_are_those_of_the_file(given, refused, tmp_path):
    model, path = classifier(covariance='shared', shrinkage=0.1, priors=(0.2, 0.3, 0.5)), str(tmp_path / 'gda.npz')
    model.unfitted_gda().fit(torch.randn(30, 5), torch.arange(30) % 3).save(path, notes=model.feature_source())
    with nullcontext() if refused is None else pytest.raises(ValueError, match=refused):
        assert classifier(fitted=path, **given).predict(torch.randn(1, 1, 32, 32))
