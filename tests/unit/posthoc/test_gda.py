"""GaussianDiscriminantAnalysis against scikit-learn, in its limits, and on degenerate data."""

import inspect
import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from torch.testing import assert_close

from mmpod.posthoc import GaussianDiscriminantAnalysis, pruning
from mmpod.posthoc.bounded_densities import BoundedDensities, Gaussians


def blobs(num=400, dim=6, num_classes=4, spread=1.0, seed=0):
    """Overlapping classes with covariances of their own and unequal sizes."""
    random = np.random.RandomState(seed)
    labels = random.choice(num_classes, num, p=np.arange(1, num_classes + 1) / sum(range(1, num_classes + 1)))
    labels[:num_classes] = np.arange(num_classes)
    roots = random.standard_normal((num_classes, dim, dim))
    means = spread * random.standard_normal((num_classes, dim))
    noise = np.einsum('nd,nde->ne', random.standard_normal((num, dim)), roots[labels])
    return means[labels] + noise, labels


def qda_is_unbiased():
    """scikit-learn changed its divisor from n - 1 to n in version 1.8."""
    rows = np.random.RandomState(0).standard_normal((10, 2))
    model = QuadraticDiscriminantAnalysis(store_covariance=True).fit(rows, np.arange(10) % 2)
    return np.allclose(model.covariance_[0], np.cov(rows[::2].T))


@pytest.mark.parametrize('priors', [None, [0.1, 0.2, 0.3, 0.4]])
def test_class_covariance_is_quadratic_discriminant_analysis(priors):
    features, labels = blobs()
    theirs = QuadraticDiscriminantAnalysis(priors=priors).fit(features, labels)
    ours = GaussianDiscriminantAnalysis('class', 0.0, priors, unbiased=qda_is_unbiased()).fit(features, labels)
    assert_close(ours.predict_log_proba(features), theirs.predict_log_proba(features), rtol=1e-7, atol=1e-7)
    assert (ours.predict(features) == theirs.predict(features)).all()
    assert 0.5 < (ours.predict(features) == labels).mean() < 1


def test_class_covariance_is_unbiased_by_default():
    features, labels = blobs()
    model = GaussianDiscriminantAnalysis(shrinkage=0.0).fit(features, labels)
    for k in range(4):
        assert_close(model.covariance_[k].numpy(), np.cov(features[labels == k].T))
        assert_close(model.means_[k].numpy(), features[labels == k].mean(0))
    assert_close(model.priors_.numpy(), np.bincount(labels) / len(labels))
    assert model.counts_.tolist() == np.bincount(labels).tolist()


@pytest.mark.skipif(
    'shrinkage' not in inspect.signature(QuadraticDiscriminantAnalysis).parameters, reason='scikit-learn before 1.8'
)
def test_shrunk_class_covariance_is_scikit_learns():
    features, labels = blobs(num=60, dim=20)
    theirs = QuadraticDiscriminantAnalysis(solver='eigen', shrinkage=0.4).fit(features, labels)
    ours = GaussianDiscriminantAnalysis(shrinkage=0.4, unbiased=False).fit(features, labels)
    assert_close(ours.predict_log_proba(features), theirs.predict_log_proba(features), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize('solver, shrinkage', [('lsqr', 0.0), ('lsqr', 0.3), ('eigen', 0.3), ('lsqr', 1.0)])
def test_shared_covariance_is_linear_discriminant_analysis(solver, shrinkage):
    features, labels = blobs()
    theirs = LinearDiscriminantAnalysis(solver=solver, shrinkage=shrinkage, store_covariance=True).fit(features, labels)
    ours = GaussianDiscriminantAnalysis('shared', shrinkage).fit(features, labels)
    assert_close(
        ours.covariance_.numpy(), (1 - shrinkage) * pooled(features, labels) + shrunk(features, labels, shrinkage)
    )
    assert_close(ours.predict_log_proba(features), theirs.predict_log_proba(features), rtol=1e-7, atol=1e-7)
    assert ours.shrinkage_ == shrinkage


def pooled(features, labels):
    residuals = features - np.stack([features[labels == k].mean(0) for k in range(labels.max() + 1)])[labels]
    return residuals.T @ residuals / len(labels)


def shrunk(features, labels, shrinkage):
    dim = features.shape[1]
    return shrinkage * np.trace(pooled(features, labels)) / dim * np.eye(dim)


def test_shared_covariance_unbiased():
    features, labels = blobs()
    model = GaussianDiscriminantAnalysis('shared', 0.0, unbiased=True).fit(features, labels)
    assert_close(model.covariance_.numpy(), pooled(features, labels) * 400 / 396)


def test_automatic_shrinkage_is_ledoit_and_wolfs():
    features, labels = blobs(num=80, dim=30)
    model = GaussianDiscriminantAnalysis().fit(features, labels)
    expected = [ledoit_wolf_shrinkage(features[labels == k]) for k in range(4)]
    assert_close(model.shrinkage_.numpy(), np.array(expected), rtol=1e-9, atol=0)
    shared = GaussianDiscriminantAnalysis('shared').fit(features, labels).shrinkage_
    residuals = features - np.stack([features[labels == k].mean(0) for k in range(4)])[labels]
    assert shared == pytest.approx(ledoit_wolf_shrinkage(residuals, assume_centered=True), rel=0.3)


@pytest.mark.parametrize('covariance', ['class', 'shared'])
def test_full_shrinkage_and_equal_priors_are_the_nearest_mean(covariance):
    features, labels = blobs(num=200)
    if covariance == 'class':  # one total variance in all classes
        for k in range(4):
            own = features[labels == k]
            centred = own - own.mean(0)
            features[labels == k] = own.mean(0) + centred * np.sqrt((len(own) - 1) / (centred**2).sum())
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
@pytest.mark.parametrize('precisions', [[torch.bfloat16, torch.float32], [torch.float32], []], ids=str)
def test_pruned_prediction_is_the_argmax_of_all_densities(spread, precisions, monkeypatch):
    """From hopeless to perfectly separated; more classes than dimensions too; with low precision and without."""
    monkeypatch.setattr(pruning, 'fast_precisions', lambda device: precisions)
    for num_classes, dim in ((4, 16), (30, 5), (2, 1)):
        features, labels = blobs(600, dim, num_classes, spread)
        model = GaussianDiscriminantAnalysis(shrinkage=0.1).fit(features, labels)
        others = np.concatenate([features, 100 * features[:50], blobs(50, dim, num_classes, spread, seed=1)[0]])
        assert (model.predict(others) == model.predict_log_proba(others).argmax(1)).all()


@pytest.mark.parametrize('offset', [0, 1e4, 1e12])
@pytest.mark.parametrize('shrinkage', [0.5, 1e-6])
@pytest.mark.parametrize('dtype, largest', [(torch.bfloat16, 60), (torch.float32, 0.1), (torch.float64, 1e-6)])
def test_error_bound_of_low_precision_holds(offset, shrinkage, dtype, largest):
    """Also where features are far off or nearly singular, and the precision has no digit left."""
    features, labels = blobs(300, 160, 2, spread=0.3)
    features[:, 0] += offset * labels
    model = GaussianDiscriminantAnalysis(shrinkage=shrinkage).fit(features, labels)
    rows, everyone = torch.from_numpy(features), torch.arange(300)
    exact = torch.as_tensor(model.predict_joint(features)[0]) + 80 * np.log(2 * np.pi)
    gaussians = pruning.Projection.of(model._moments, model._fit).full
    densities = BoundedDensities(rows, gaussians, dtype)
    for k in range(2):
        value, bound = densities.joint(everyone, k)
        assert ((value - exact[:, k]).abs() <= bound).all()
        if offset == 0 and shrinkage == 0.5:
            assert 0 < bound.max() < largest


@pytest.mark.parametrize('rounded', ['rows', 'factors'])
def test_error_bound_holds_where_all_rounding_errors_have_one_sign(rounded):
    """One component of the whitened residual counts: terms that cancel, rounded, where they cancel no more."""
    dim = 512
    above, below = 1 + 0.4 * 2**-7, 1 - 0.4 * 2**-8  # both rounded to 1 in bfloat16
    signs, values = torch.tensor([1.0, -1.0]).repeat(dim // 2).double(), torch.tensor([above, below]).repeat(dim // 2)
    row, column = (signs * values, torch.ones(dim)) if rounded == 'rows' else (signs, values)
    row[-2:], column[-2:] = torch.tensor([2, 0]), 0  # the largest, by which all are divided
    units = torch.eye(dim).double()
    units[:-1, -1] = -column[:-1].double()  # its inverse has +column there
    pivots = torch.full((1, dim), 1e12).double()
    pivots[0, -1] = 1
    single = Gaussians(torch.zeros(1, dim).double(), units[None], pivots, torch.zeros(1).double())
    value, bound = BoundedDensities(row[None], single, torch.bfloat16).joint(torch.tensor([0]), 0)
    exact = -((row[:-1] @ column[:-1].double()) ** 2) / 2
    assert exact < -0.5 and abs(value) < 0.01
    assert abs(value - exact) <= bound


def test_leading_dimensions_bound_the_densities_from_above():
    features, labels = blobs(300, 40, 3)
    model = GaussianDiscriminantAnalysis(shrinkage=0.1).fit(features, labels)
    exact = torch.as_tensor(model.predict_joint(features)[0]) + 20 * np.log(2 * np.pi)
    full, rows = pruning.Projection.of(model._moments, model._fit).full, torch.from_numpy(features)
    marginal = model.covariance_[1][:25, :25].inverse()
    residual = rows[:, :25] - model.means_[1][:25]
    distances = torch.einsum('nd,de,ne->n', residual, marginal, residual)
    value, bound = BoundedDensities(rows[:, :25], full.leading(25), torch.float64).joint(torch.arange(300), 1)
    assert_close(value, (2 * model.priors_[1].log() - torch.logdet(model.covariance_[1]) - distances) / 2)
    assert (value + bound >= exact[:, 1]).all() and (value + bound > exact[:, 1] + 1).any()


@pytest.mark.parametrize('num', [600, 4])
def test_pruning_computes_few_densities_of_separated_classes(num, monkeypatch):
    """Also of a batch that is smaller than the number of directions."""
    features, labels = blobs(600, 24, 10, spread=8.0)
    model = GaussianDiscriminantAnalysis().fit(features, labels)
    pairs, joint = [], pruning._joint

    def counted(rows, *rest):
        pairs.append(len(rows))
        return joint(rows, *rest)

    monkeypatch.setattr(pruning, '_joint', counted)
    model.predict(features[:num])
    assert num <= sum(pairs) < 2 * num  # of ten times num


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
    joint, distances = arrays.predict_joint(features)
    assert_close(arrays.score_samples(features), np.log(np.exp(joint).sum(1)))
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
    shared = GaussianDiscriminantAnalysis('shared', shrinkage, unbiased=covariance == 'class').fit(features, labels, 8)
    for k in fallback:
        assert_close(model.covariance_[k], shared.covariance_)


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
        (ValueError, 'add up to 1', lambda: GaussianDiscriminantAnalysis(priors=[])),
        (TypeError, '`num_classes`.*3.5', lambda: fitted().fit(FEATURES, LABELS, num_classes=3.5)),
        (ValueError, '`num_classes`.*0', lambda: fitted().fit(FEATURES, LABELS, num_classes=0)),
        (ValueError, 'each of 2 classes, but got 3', lambda: with_priors([0.5, 0.25, 0.25]).fit(FEATURES, LABELS)),
        (ValueError, r'none of classes \[1\]', lambda: with_priors([0.5, 0.5]).fit(FEATURES, [0, 0], 2)),
        (ValueError, 'NaN or infinity in 1 of 2 rows, first in row 1', lambda: fitted().fit(BROKEN, LABELS)),
        (ValueError, 'NaN or infinity', lambda: fitted().fit(FEATURES + np.inf, LABELS)),
        (ValueError, 'NaN or infinity', lambda: fitted().predict(blobs()[0] * np.nan)),
        (ValueError, r'lie in \[0, 2\), but got values from 0 to 2', lambda: fitted().fit(FEATURES, [0, 2], 2)),
        (ValueError, 'at least 0, but got values from -1', lambda: fitted().fit(FEATURES, [0, -1])),
        (TypeError, 'integers', lambda: fitted().fit(FEATURES, [0.0, 1.0])),
        (ValueError, r'shape \(N,\) = \(2,\)', lambda: fitted().fit(FEATURES, [0, 1, 1])),
        (ValueError, r'\(N, D\)', lambda: fitted().fit(FEATURES[0], [0])),
        (ValueError, r'\(N, D\)', lambda: fitted().fit(FEATURES[:0], LABELS[:0])),
        (TypeError, 'list', lambda: fitted().fit([[1.0]], [0])),
        (ValueError, 'D = 6 as in fitting', lambda: fitted().predict(FEATURES)),
        (ValueError, 'D = 6 as in fitting', lambda: fitted().partial_fit(FEATURES, LABELS)),
        (ValueError, '`num_classes` to be 4', lambda: fitted().partial_fit(*blobs(), num_classes=5)),
        (ValueError, '`num_classes` with the first', lambda: GaussianDiscriminantAnalysis().partial_fit(*blobs())),
        (ValueError, 'call fit', lambda: GaussianDiscriminantAnalysis().predict(FEATURES)),
        (ValueError, 'call fit', lambda: GaussianDiscriminantAnalysis().means_),
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


def test_foreign_and_damaged_files_are_refused(tmp_path):
    path = tmp_path / 'model.npz'
    with pytest.raises(FileNotFoundError, match='model.npz'):
        GaussianDiscriminantAnalysis.load(path)
    fitted().save(path)
    content = path.read_bytes()
    arrays = dict(np.load(path))
    changed = {
        'means': arrays['means'][:, :3],
        'pivots': -arrays['pivots'],
        'scatter': arrays['scatter'] * np.nan,
        'counts': arrays['counts'].astype(np.float32),
        'header': np.array('{"format": "other", "settings": {}}'),
    }
    cases = [{**arrays, name: array} for name, array in changed.items()]
    cases.append({name: array for name, array in arrays.items() if name != 'third'})
    for case in cases:
        np.savez(path, **case)
        with pytest.raises(ValueError, match='model.npz'):
            GaussianDiscriminantAnalysis.load(path)
    for data in (content[: len(content) // 2], b'', b'no archive', pickle.dumps(dict(means=0))):
        path.write_bytes(data)
        with pytest.raises(ValueError, match='model.npz'):
            GaussianDiscriminantAnalysis.load(path)
    np.savez(path, **{**arrays, 'header': np.array(dict(format=1), dtype=object)})
    with pytest.raises(ValueError, match='model.npz'):
        GaussianDiscriminantAnalysis.load(path)


def test_memory_of_the_model_is_one_array_of_covariances():
    model = GaussianDiscriminantAnalysis().fit(*blobs(num=500, dim=40))
    model.predict(blobs()[0].repeat(7, axis=1)[:, :40])
    directions, image, full = model._projection
    held = [part for part in (*model._moments, *model._fit, directions, *image, *full) if part is not None]
    bytes_held = sum({part.untyped_storage().data_ptr(): part.untyped_storage().nbytes() for part in held}.values())
    assert bytes_held < 8 * 4 * 40**2 * 1.25


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_gpu_and_cpu_agree():
    features, labels = (torch.from_numpy(part) for part in blobs())
    cpu, gpu = (GaussianDiscriminantAnalysis().fit(features.to(d), labels.to(d)) for d in ('cpu', 'cuda'))
    assert gpu.predict(features.cuda()).is_cuda
    assert_close(gpu.predict_log_proba(features.cuda()).cpu(), cpu.predict_log_proba(features))
    assert_close(cpu.predict_log_proba(features.cuda()).cpu(), gpu.predict_log_proba(features.cuda()).cpu())
