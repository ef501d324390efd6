"""GaussianDiscriminantAnalysis against scikit-learn and SciPy, in its limits, and on degenerate data."""

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn import __version__ as sklearn_version
from sklearn.covariance import ledoit_wolf_shrinkage, shrunk_covariance
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from torch.testing import assert_close

from mmpod.functional import gaussian
from mmpod.functional.gaussian import most_probable
from mmpod.posthoc import GaussianDiscriminantAnalysis, fitting, gda

SKLEARN = tuple(int(part) for part in sklearn_version.split('.')[:2])


def blobs(num=400, dim=6, num_classes=4, spread=1.0, seed=0):
    """Overlapping classes with covariances of their own and unequal sizes."""
    random = np.random.RandomState(seed)
    labels = random.choice(num_classes, num, p=np.arange(1, num_classes + 1) / sum(range(1, num_classes + 1)))
    labels[:num_classes] = np.arange(num_classes)
    roots = random.standard_normal((num_classes, dim, dim))
    means = spread * random.standard_normal((num_classes, dim))
    noise = np.einsum('nd,nde->ne', random.standard_normal((num, dim)), roots[labels])
    return means[labels] + noise, labels


def joint_by_scipy(features, labels, covariance, shrinkage, priors, unbiased):
    """Log priors plus log-densities, shape (N, K), and the covariances, shape (K, D, D)."""
    classes = [features[labels == k] for k in range(labels.max() + 1)]
    if covariance == 'class':
        covariances = [np.cov(own.T, bias=not unbiased) for own in classes]
    else:
        residuals = np.concatenate([own - own.mean(0) for own in classes])
        covariances = [np.cov(residuals.T, ddof=unbiased * len(classes))] * len(classes)
    covariances = [shrunk_covariance(matrix, shrinkage) for matrix in covariances]
    priors = [len(own) / len(features) for own in classes] if priors is None else priors
    densities = [multivariate_normal.logpdf(features, own.mean(0), matrix) for own, matrix in zip(classes, covariances)]
    return np.log(priors) + np.stack(densities, axis=1), np.stack(covariances)


@pytest.mark.parametrize('priors', [None, [0.1, 0.2, 0.3, 0.4]])
@pytest.mark.parametrize('shrinkage', [0.0, 0.4])
@pytest.mark.parametrize('dim, unbiased', [(6, True), (80, False)])
@pytest.mark.parametrize('covariance', ['class', 'shared'])
def test_densities_are_scipys(covariance, dim, unbiased, shrinkage, priors):
    features, labels = blobs(1200, dim)
    settings = dict(covariance=covariance, shrinkage=shrinkage, priors=priors, unbiased=unbiased)
    model = GaussianDiscriminantAnalysis(**settings).fit(features, labels)
    joint, covariances = joint_by_scipy(features, labels, **settings)
    density = logsumexp(joint, axis=1)
    assert_close(model.predict_joint(features)[0], joint, rtol=1e-10, atol=1e-8)
    assert_close(model.predict_log_proba(features), joint - density[:, None], rtol=1e-10, atol=1e-8)
    assert_close(model.score_samples(features), density, rtol=1e-10, atol=1e-8)
    assert (model.predict(features) == joint.argmax(1)).all()
    assert_close(model.covariance_.numpy(), covariances if covariance == 'class' else covariances[0])
    assert_close(model.means_.numpy(), np.stack([features[labels == k].mean(0) for k in range(4)]))
    assert_close(model.priors_.numpy(), np.bincount(labels) / len(labels) if priors is None else np.array(priors))
    assert model.counts_.tolist() == np.bincount(labels).tolist()
    if covariance == 'shared':
        assert model.shrinkage_ == shrinkage


def test_chunks_of_classes_and_rows_make_no_difference(monkeypatch):
    features, labels = blobs()
    expected = GaussianDiscriminantAnalysis().fit(features, labels).predict_joint(features)
    monkeypatch.setattr(fitting, 'MAX_CHUNK', 1)  # one class at a time
    monkeypatch.setattr(gda, 'ROWS', 7)
    assert_close(GaussianDiscriminantAnalysis().fit(features, labels).predict_joint(features), expected)


@pytest.mark.skipif(SKLEARN < (1, 8), reason='scikit-learn before 1.8 divides by n - 1')
def test_defaults_without_shrinkage_are_scikit_learns():
    random = np.random.RandomState(0)
    labels = np.arange(900) % 3
    features = random.standard_normal((900, 5)) * (1 + labels[:, None]) + labels[:, None]
    for covariance, theirs in (
        ('class', QuadraticDiscriminantAnalysis()),
        ('shared', LinearDiscriminantAnalysis(solver='lsqr')),
    ):
        ours = GaussianDiscriminantAnalysis(covariance, shrinkage=0.0).fit(features, labels)
        theirs.fit(features, labels)
        assert_close(ours.predict_log_proba(features), theirs.predict_log_proba(features), rtol=1e-10, atol=1e-10)
        assert (ours.predict(features) == theirs.predict(features)).all()


def test_automatic_shrinkage_is_ledoit_and_wolfs():
    features, labels = blobs(num=80, dim=30)
    model = GaussianDiscriminantAnalysis().fit(features, labels)
    expected = [ledoit_wolf_shrinkage(features[labels == k]) for k in range(4)]
    assert_close(model.shrinkage_.numpy(), np.array(expected), rtol=1e-9, atol=0)
    shared = GaussianDiscriminantAnalysis('shared').fit(features, labels).shrinkage_
    residuals, n = features - np.stack([features[labels == k].mean(0) for k in range(4)])[labels], 80 - 4
    trace, square = (np.trace(np.linalg.matrix_power(residuals.T @ residuals / n, power)) for power in (1, 2))
    assert shared == pytest.approx(((n - 2) / n * square + trace**2) / ((n + 2) * (square - trace**2 / 30)), rel=1e-9)


@pytest.mark.parametrize('covariance', ['class', 'shared'])
def test_full_shrinkage_and_equal_priors_are_the_nearest_mean(covariance):
    features, labels = blobs(num=200)
    if covariance == 'class':  # one total variance in all classes
        for k in range(4):
            own = features[labels == k]
            centred = own - own.mean(0)
            features[labels == k] = own.mean(0) + centred * np.sqrt(len(own) / (centred**2).sum())
    model = GaussianDiscriminantAnalysis(covariance, 1.0, priors=[0.25] * 4).fit(features, labels)
    means = np.stack([features[labels == k].mean(0) for k in range(4)])
    nearest = ((features[:, None] - means) ** 2).sum(2).argmin(1)
    assert (model.predict(features) == nearest).all()
    assert (model.predict_log_proba(features).argmax(1) == nearest).all()


@pytest.mark.parametrize('covariance', ['class', 'shared'])
@pytest.mark.parametrize('shrinkage', ['auto', 0.2])
def test_batches_in_any_order_give_the_same_model(covariance, shrinkage):
    features, labels = blobs(num=150, dim=12)
    whole = GaussianDiscriminantAnalysis(covariance, shrinkage).fit(features, labels)
    for seed, size in ((0, 150), (1, 40), (2, 7), (3, 1)):
        order = np.random.RandomState(seed).permutation(150)
        model = GaussianDiscriminantAnalysis(covariance, shrinkage)
        for start in range(0, 150, size):
            rows = order[start : start + size]
            model.partial_fit(features[rows], labels[rows], num_classes=4)
            if start == 70:
                model.priors_  # noqa: B018  fits in between, which must not disturb what follows
        assert_close(model.predict_log_proba(features), whole.predict_log_proba(features), rtol=1e-7, atol=1e-7)
        assert_close(model.covariance_, whole.covariance_, rtol=1e-9, atol=1e-9)
        assert_close(torch.as_tensor(model.shrinkage_), torch.as_tensor(whole.shrinkage_), rtol=1e-9, atol=1e-12)


def test_fit_forgets_and_partial_fit_goes_on():
    features, labels = blobs(num=200)
    model = (
        GaussianDiscriminantAnalysis().fit(features[:100] + 50, labels[:100], 4).fit(features[:120], labels[:120], 4)
    )
    model.partial_fit(features[120:], labels[120:])
    assert_close(model.covariance_, GaussianDiscriminantAnalysis().fit(features, labels).covariance_)


@pytest.mark.parametrize('spread', [0.0, 0.3, 1.0, 6.0])
@pytest.mark.parametrize('panel', [3, 64])
def test_prediction_is_the_argmax_of_all_densities(spread, panel, monkeypatch):
    """From hopeless to perfectly separated; more classes than dimensions too."""
    monkeypatch.setattr(gaussian, 'PANEL', panel)
    monkeypatch.setattr(gaussian, 'BLOCK', 100)
    for num_classes, dim in ((4, 16), (30, 5), (2, 1), (3, 70)):
        features, labels = blobs(600, dim, num_classes, spread)
        model = GaussianDiscriminantAnalysis(shrinkage=0.1).fit(features, labels)
        others = np.concatenate([features, 100 * features[:50], blobs(50, dim, num_classes, spread, seed=1)[0]])
        assert (model.predict(others) == model.predict_log_proba(others).argmax(1)).all()


def test_classes_are_ruled_out_before_all_dimensions_count(monkeypatch):
    """What is ruled out may hold anything in the dimensions that are left: NaN would spread to the result."""
    monkeypatch.setattr(gaussian, 'PANEL', 2)
    means = torch.tensor([[0.0] * 6, [100.0] * 6, [-100.0] * 6]).double()
    whitening = torch.eye(6).double().repeat(3, 1, 1)
    features = means.repeat_interleave(5, dim=0) + torch.randn(15, 6, dtype=torch.float64)
    labels = torch.arange(3).repeat_interleave(5)
    assert (most_probable(features, means, whitening, torch.zeros(3).double()) == labels).all()
    whitening[1, 2:] = torch.nan
    assert (most_probable(features[:5], means, whitening, torch.zeros(3).double()) == 0).all()


def test_a_bound_that_misleads_is_corrected(monkeypatch):
    """The class that is nearest in the first dimension is the farthest in all."""
    monkeypatch.setattr(gaussian, 'PANEL', 1)
    means = torch.tensor([[0.0, 9, 0], [1.0, 0, 0], [2.0, 0, 0]]).double()
    whitening, offsets = torch.eye(3).double().repeat(3, 1, 1), torch.tensor([0.0, 0, 5]).double()
    assert most_probable(torch.zeros(1, 3).double(), means, whitening, torch.zeros(3).double()).tolist() == [1]
    assert most_probable(torch.zeros(1, 3).double(), means, whitening, offsets).tolist() == [2]


def test_arrays_and_tensors_of_any_precision():
    features, labels = blobs()
    features = features.astype(np.float32)
    tensors = GaussianDiscriminantAnalysis().fit(torch.from_numpy(features), torch.from_numpy(labels))
    arrays = GaussianDiscriminantAnalysis().fit(features, labels)
    assert isinstance(arrays.predict(features), np.ndarray) and arrays.predict(features).dtype == np.int64
    assert isinstance(tensors.predict(torch.from_numpy(features)), torch.Tensor)
    for result in ('predict_log_proba', 'mahalanobis', 'score_samples'):
        one, other = getattr(arrays, result)(features), getattr(tensors, result)(torch.from_numpy(features))
        assert one.dtype == np.float64 and (one == other.numpy()).all()
    _, distances = arrays.predict_joint(features)
    assert (distances == arrays.mahalanobis(features)).all()
    inverse = np.linalg.inv(arrays.covariance_[2].numpy())
    residuals = features.astype(np.float64) - arrays.means_[2].numpy()
    assert_close(distances[:, 2], np.einsum('nd,de,ne->n', residuals, inverse, residuals))


def finite(model, features):
    log_proba = model.predict_log_proba(features)
    assert not np.isnan(log_proba).any() and not np.isnan(model.predict_joint(features)).any()
    assert_close(np.exp(log_proba).sum(1), np.ones(len(features)))
    assert (model.predict(features) == log_proba.argmax(1)).all()
    return model


@pytest.mark.parametrize('covariance', ['class', 'shared'])
@pytest.mark.parametrize('shrinkage', ['auto', 0.5])
def test_classes_with_few_samples(covariance, shrinkage):
    features, labels = blobs(num=100, dim=8, num_classes=3)
    features = np.concatenate([features, features[:1] + 3, features[:2] + 4, np.repeat(features[:1] + 5, 3, 0)])
    labels = np.concatenate([labels, [4], [5, 5], [6, 6, 6]])  # class 3 is absent, class 6 one sample three times
    model = GaussianDiscriminantAnalysis(covariance, shrinkage)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        finite(model.fit(features, labels, num_classes=8), features)
    fallback = {('class', 'auto'): [4, 5, 6], ('class', 0.5): [4, 6]}.get((covariance, shrinkage), [])
    assert model.fallback_.tolist() == fallback
    assert [str(fallback) in str(warning.message) for warning in caught] == [True] * bool(fallback)
    assert not set(model.predict(features)) & {3, 7} and np.isneginf(model.predict_log_proba(features)[:, [3, 7]]).all()
    assert np.isinf(model.mahalanobis(features)[:, [3, 7]]).all() and model.priors_[3] == 0
    shared = GaussianDiscriminantAnalysis('shared', shrinkage).fit(features, labels, 8)
    for k in fallback:
        assert_close(model.covariance_[k], shared.covariance_)
        assert_close(model.mahalanobis(features)[:, k], shared.mahalanobis(features)[:, k])


def test_more_dimensions_than_samples_constant_dimensions_and_duplicates():
    features, labels = blobs(num=40, dim=100)
    features[:, 7] = 3
    features[20:] = features[:20]
    labels[20:] = labels[:20]
    for covariance in ('class', 'shared'):
        for shrinkage in ('auto', 0.01, 1):
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                finite(GaussianDiscriminantAnalysis(covariance, shrinkage).fit(features, labels), features)
        with pytest.raises(ValueError, match="singular.*`shrinkage` above 0, or 'auto'"):
            GaussianDiscriminantAnalysis(covariance, 0.0).fit(features, labels)


def test_singular_now_regular_with_more_samples():
    features, labels = blobs(num=100, dim=5)
    model = GaussianDiscriminantAnalysis(shrinkage=0.0).partial_fit(features[:8], labels[:8], 4)
    with pytest.raises(ValueError, match='singular'):
        model.predict(features)
    model.partial_fit(features[8:], labels[8:])
    assert_close(model.covariance_, GaussianDiscriminantAnalysis(shrinkage=0.0).fit(features, labels).covariance_)


def test_no_spread_at_all():
    with pytest.raises(ValueError, match='no spread'):
        GaussianDiscriminantAnalysis('shared').fit(np.eye(3), np.arange(3))
    with pytest.raises(ValueError, match='no spread'):
        GaussianDiscriminantAnalysis('class').fit(np.eye(3), np.arange(3))


@pytest.mark.parametrize('scale', [1e-30, 1e30])
def test_any_unit_of_the_features(scale):
    features, labels = blobs()
    expected = GaussianDiscriminantAnalysis(shrinkage=0.1).fit(features, labels).predict(features)
    model = finite(GaussianDiscriminantAnalysis(shrinkage=0.1).fit(features * scale, labels), features * scale)
    assert (model.predict(features * scale) == expected).all()


FEATURES, LABELS = np.zeros((2, 3)), np.array([0, 1])
BROKEN = FEATURES.copy()
BROKEN[1, 2] = np.nan


@pytest.mark.parametrize(
    'error, words, call',
    [
        (ValueError, "one of 'class', 'shared', but got 'full'", lambda: GaussianDiscriminantAnalysis('full')),
        (ValueError, "one of 'auto', but got 'oas'", lambda: GaussianDiscriminantAnalysis(shrinkage='oas')),
        (ValueError, 'at most 1, but got 1.5', lambda: GaussianDiscriminantAnalysis(shrinkage=1.5)),
        (TypeError, 'but got None', lambda: GaussianDiscriminantAnalysis(shrinkage=None)),
        (TypeError, 'unbiased', lambda: GaussianDiscriminantAnalysis(unbiased=1)),
        (ValueError, 'add up to 1', lambda: GaussianDiscriminantAnalysis(priors=[0.5, 0.4])),
        (ValueError, 'add up to 1', lambda: GaussianDiscriminantAnalysis(priors=[float('nan'), 0.5, 0.5])),
        (TypeError, "`priors` to be K numbers.* but got 'uniform'", lambda: with_priors('uniform')),
        (TypeError, '`priors` to be K numbers.* but got 0.5', lambda: with_priors(0.5)),
        (TypeError, '`num_classes`.*3.5', lambda: fitted().fit(FEATURES, LABELS, num_classes=3.5)),
        (ValueError, '2 `priors`.* but got 3', lambda: with_priors([0.5, 0.25, 0.25]).fit(FEATURES, LABELS)),
        (ValueError, r'none of classes \[1\]', lambda: with_priors([0.5, 0.5]).fit(FEATURES, [0, 0], 2)),
        (ValueError, 'NaN or infinity in 1 of 2 rows, first in row 1', lambda: fitted().fit(BROKEN, LABELS)),
        (ValueError, 'NaN or infinity', lambda: fitted().predict(blobs()[0] * np.nan)),
        (ValueError, r'lie in \[0, 2\), but got values from 0 to 2', lambda: fitted().fit(FEATURES, [0, 2], 2)),
        (ValueError, 'at least 0, but got values from -1', lambda: fitted().fit(FEATURES, [0, -1])),
        (TypeError, 'integers', lambda: fitted().fit(FEATURES, ['a', 'b'])),
        (TypeError, 'integers', lambda: fitted().fit(FEATURES, [0.0, 1.0])),
        (ValueError, r'shape \(N,\) = \(2,\)', lambda: fitted().fit(FEATURES, [0, 1, 1])),
        (ValueError, r'\(N, D\)', lambda: fitted().fit(FEATURES[0], [0])),
        (ValueError, r'\(N, D\)', lambda: fitted().fit(FEATURES[:0], LABELS[:0])),
        (TypeError, 'float32 or float64', lambda: fitted().fit(FEATURES.astype(object), LABELS)),
        (TypeError, 'but got .*. Convert them to', lambda: fitted().fit(FEATURES.astype(np.longdouble), LABELS)),
        (TypeError, 'list', lambda: fitted().fit([[1.0]], [0])),
        (ValueError, 'D = 6 as in fitting', lambda: fitted().predict(FEATURES)),
        (ValueError, 'D = 6 as in fitting', lambda: fitted().partial_fit(FEATURES, LABELS)),
        (ValueError, '`num_classes` to be 4', lambda: fitted().partial_fit(*blobs(), num_classes=5)),
        (ValueError, '`num_classes` with the first', lambda: GaussianDiscriminantAnalysis().partial_fit(*blobs())),
        (ValueError, 'Call fit', lambda: GaussianDiscriminantAnalysis().predict(FEATURES)),
    ],
)
def test_bad_input_is_named(error, words, call):
    with pytest.raises(error, match=words):
        call()


def fitted():
    return GaussianDiscriminantAnalysis().fit(*blobs())


def with_priors(priors):
    return GaussianDiscriminantAnalysis(priors=priors)


@pytest.mark.parametrize('covariance', ['class', 'shared'])
def test_a_saved_model_predicts_the_same_and_goes_on_learning(covariance, tmp_path):
    features, labels = blobs()
    labels[:] = np.minimum(labels, 2)
    model = GaussianDiscriminantAnalysis(covariance, 'auto').fit(features[:300], labels[:300], num_classes=4)
    model.save(tmp_path / 'folder' / 'model.npz', notes=dict(stage='pooled'))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        loaded = GaussianDiscriminantAnalysis.load(tmp_path / 'folder' / 'model.npz')
        assert (loaded.predict_log_proba(features) == model.predict_log_proba(features)).all()
    assert loaded.notes == dict(stage='pooled') and loaded.covariance == covariance
    for one in (model, loaded):
        one.partial_fit(features[300:], labels[300:])
    assert (loaded.predict_log_proba(features) == model.predict_log_proba(features)).all()
    assert [path.name for path in (tmp_path / 'folder').iterdir()] == ['model.npz']


@pytest.mark.parametrize('covariance', ['class', 'shared'])
def test_eight_threads_that_predict_first_agree(covariance):
    features, labels = blobs(2000, 30, 10)
    expected = GaussianDiscriminantAnalysis(covariance).fit(features, labels).predict_log_proba(features)
    for _ in range(5):
        model = GaussianDiscriminantAnalysis(covariance).partial_fit(features, labels, 10)
        barrier = threading.Barrier(8)

        def ask(_, model=model, barrier=barrier):
            barrier.wait()
            return model.predict(features), model.predict_log_proba(features)

        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(ask, range(8)))
        for decisions, log_proba in results:
            assert_close(log_proba, expected, rtol=1e-9, atol=1e-9)
            assert (decisions == expected.argmax(1)).all()


@pytest.mark.parametrize('covariance', ['class', 'shared'])
@pytest.mark.parametrize('method', ['fit', 'partial_fit'])
@pytest.mark.parametrize('where', ['before', 'after'])
def test_an_interrupted_call_can_be_repeated(covariance, method, where, monkeypatch):
    features, labels = blobs(300, 8)
    model = GaussianDiscriminantAnalysis(covariance).fit(features[:150], labels[:150], 4)
    before = model.predict_log_proba(features)

    def interrupted(moments, *batch, accumulate=gda.accumulate_, **settings):
        if batch and where == 'after':  # the scatter has been updated in place
            accumulate(moments, *batch)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(gda, 'accumulate_', interrupted)
        with pytest.raises(KeyboardInterrupt):
            getattr(model, method)(features[150:], labels[150:], 4)
    assert (model.predict_log_proba(features) == before).all()
    with monkeypatch.context() as patch:  # while fitting, which partial_fit leaves to the prediction
        patch.setattr(gda, 'fit_gaussians', interrupted)
        with pytest.raises(KeyboardInterrupt):
            getattr(model, method)(features[150:], labels[150:], 4).predict(features)
    rows = slice(150 if method == 'fit' else 0, None)
    if method == 'fit':
        assert (model.predict_log_proba(features) == before).all()
        model.fit(features[150:], labels[150:], 4)
    expected = GaussianDiscriminantAnalysis(covariance).fit(features[rows], labels[rows], 4)
    assert_close(model.predict_log_proba(features), expected.predict_log_proba(features), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize('covariance', ['class', 'shared'])
def test_a_class_of_prior_0_is_infinitely_far_away_in_spite_of_its_samples(covariance):
    features, labels = torch.randn(30, 2), torch.arange(30) % 3
    model = GaussianDiscriminantAnalysis(covariance, priors=[0.5, 0.0, 0.5]).fit(features, labels)
    assert model.mahalanobis(features).isposinf().all(dim=0).tolist() == [False, True, False]
    assert model.predict_log_proba(features).isneginf().all(dim=0).tolist() == [False, True, False]
    assert model.predict(features).unique().tolist() == [0, 2] and model.means_[1].any()


@pytest.mark.parametrize('covariance', ['class', 'shared'])
def test_two_samples_of_one_class_suffice_with_automatic_shrinkage(covariance):
    features = blobs()[0][:4]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of classes that use the shared covariance
        model = finite(GaussianDiscriminantAnalysis(covariance).fit(features, [0, 0, 1, 2]), features)
    variance = ((features[0] - features[1]) ** 2).sum() / 2 / 4 / 6
    shared = model.covariance_ if covariance == 'shared' else model.covariance_[2]
    assert_close(shared, variance * torch.eye(6, dtype=torch.float64))


@pytest.mark.parametrize(
    'view',
    [lambda x: x[::-1].copy()[::-1], lambda x: x.astype(x.dtype.newbyteorder()), lambda x: x.astype(x.dtype)[:]],
    ids=['negative strides', 'other byte order', 'plain'],
)
def test_arrays_of_any_layout(view):
    features, labels = blobs()
    model, expected = GaussianDiscriminantAnalysis().fit(view(features), view(labels)), fitted()
    assert (model.predict_log_proba(view(features)) == expected.predict_log_proba(features)).all()


def test_fits_are_merged_once(monkeypatch):
    monkeypatch.setattr('mmpod.posthoc.gda.world_size', lambda: 2)
    monkeypatch.setattr('mmpod.posthoc.gda.global_sum', lambda tensor: 2 * tensor)
    features, labels = torch.randn(60, 4), torch.arange(60) % 3
    gda = GaussianDiscriminantAnalysis().partial_fit(features, labels, 3).merge_processes()
    assert gda.counts_.tolist() == [40, 40, 40]
    for again in (gda.merge_processes, lambda: gda.partial_fit(features, labels)):
        with pytest.raises(ValueError, match='all samples before `merge_processes`'):
            again()
    assert gda.fit(features, labels).counts_.tolist() == [20, 20, 20]


def test_labels_of_other_libraries():
    class Series:  # of pandas: its index is not that of the positions
        def __array__(self, dtype=None, copy=None):
            return np.arange(60) % 3

        def __getitem__(self, index):
            raise KeyError(index)

        def __len__(self):
            return 60

    features = torch.randn(60, 4)
    for labels in (Series(), (np.arange(60) % 3).astype(np.uint16), [index % 3 for index in range(60)]):
        assert GaussianDiscriminantAnalysis().fit(features, labels).counts_.tolist() == [20, 20, 20]
