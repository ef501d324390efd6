"""Properties that hold for any K, D, N, dtype, kind of labels, and scale of the features from 1e-20 to 1e20.

Hypothesis chooses sizes and a seed; the numbers come from the seed, with repeated, opposite and zero rows among them.
"""

import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from mmpod import functional as F
from mmpod.functional.gaussian import cholesky_factor, squared_distances, whitening_factor
from mmpod.functional.moments import accumulate_, class_moments
from mmpod.functional.numerics import at_least_float32, no_autocast
from mmpod.functional.shrinkage import gaussian_shrinkage, shrink
from mmpod.models import PODLoss

EPS = {torch.float32: 1e-5, torch.float64: 1e-12}
SMALLEST = -(0.5**20)  # rounding below zero of a sum of squares of order one

few = settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
several = settings(few, max_examples=60)


@st.composite
def batches(draw, kinds=('hard', 'soft'), min_samples=1, widest=20):
    """Draw features (N, D) at some scale, labels of some kind, and unit prototypes (K, D)."""
    num_classes, dim = draw(st.integers(2, 9)), draw(st.integers(1, 12))
    num_samples = draw(st.integers(min_samples, 14))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    scale = 10.0 ** draw(st.sampled_from([-widest, widest, 0, -3, 4]))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    features = torch.randn(num_samples, dim, generator=generator, dtype=torch.float64)
    if num_samples > 3:
        features[1], features[2], features[3] = features[0], -features[0], draw(st.sampled_from([0.0, 1.0]))
    prototypes = F.normalize_rows(torch.randn(num_classes, dim, generator=generator, dtype=torch.float64)).to(dtype)
    labels = torch.randint(num_classes, (num_samples,), generator=generator)
    if draw(st.sampled_from(kinds)) == 'soft':
        labels = torch.rand(num_samples, num_classes, generator=generator, dtype=torch.float64).softmax(1).to(dtype)
    return (scale * features).to(dtype), labels, prototypes


def weights(labels, prototypes):
    """Return either kind of labels as soft labels."""
    return labels if labels.is_floating_point() else torch.eye(len(prototypes)).to(prototypes)[labels]


def slope(function, features):
    """Return the gradient, which must be finite."""
    leaf = features.clone().requires_grad_()
    function(leaf).sum().backward()
    assert leaf.grad.isfinite().all()
    return leaf.grad


@several
@given(batches())
def test_normalize_rows(batch):
    features, _, _ = batch
    unit, eps = F.normalize_rows(features), EPS[features.dtype]
    zero = (features == 0).all(dim=1)
    assert (unit[zero] == 0).all()
    assert_close(unit.norm(dim=1)[~zero], torch.ones(int((~zero).sum()), dtype=unit.dtype), rtol=0, atol=eps)
    length = (features * unit).sum(dim=1, keepdim=True)
    assert_close(unit * length, features, rtol=0, atol=eps * features.abs().max().item())
    assert_close(F.normalize_rows(features / features.abs().max().clamp_min(1e-30)), unit, rtol=0, atol=eps)
    direction = torch.randn_like(features)
    grad = slope(lambda z: F.normalize_rows(z) * direction, features)
    assert (((grad * unit).sum(1).abs() <= eps * 10 * grad.norm(dim=1)) | zero).all()  # tangent to the sphere


@several
@given(batches(), st.floats(1, 4))
def test_cosine_terms(batch, power):
    features, labels, prototypes = batch
    unit, eps = F.normalize_rows(features), EPS[features.dtype]
    losses = F.cosine_loss(unit, labels, prototypes, power)
    assert losses.shape == (len(unit),) and losses.min() >= 0 and losses.max() <= 2**power * (1 + eps)
    soft = weights(labels, prototypes)
    assert_close(losses, F.cosine_loss(unit, soft, prototypes, power), rtol=eps * 10, atol=eps)
    residuals = F.class_residuals(unit, labels, prototypes)
    assert_close(residuals + soft @ prototypes, unit, rtol=0, atol=eps)
    slope(lambda z: F.cosine_loss(F.normalize_rows(z), labels, prototypes, power), features)


@several
@given(batches())
def test_decorrelation(batch):
    features, labels, prototypes = batch
    residuals = F.class_residuals(F.normalize_rows(features), labels, prototypes)
    (num_samples, dim), eps = residuals.shape, EPS[residuals.dtype]
    second = residuals.double().T @ residuals.double() / max(num_samples - 1, 1)
    scale = second.square().sum().item()
    expected = 0 if num_samples == 1 else second.fill_diagonal_(0).square().sum().item()
    loss = F.self_correlation_loss(residuals)
    assert loss.item() == pytest.approx(expected, rel=eps * 10, abs=eps * 10 * scale)
    assert_close(F.self_correlation_loss(residuals.flip(0)), loss, rtol=eps * 10, atol=eps * 10 * scale)
    assert_close(F.self_correlation_loss(-residuals), loss)
    # Centring takes from the second moment what the mean contributes.
    assert SMALLEST * scale <= F.vicreg_covariance_loss(residuals).item() <= scale / dim * (1 + eps) + eps
    assert -1e-4 <= F.barlow_twins_loss(residuals).item() <= dim * (dim - 1) * 1.01 + 1e-4
    for function in (F.self_correlation_loss, F.vicreg_covariance_loss, F.barlow_twins_loss):
        slope(lambda z, f=function: f(F.class_residuals(F.normalize_rows(z), labels, prototypes)), features)


@few
@given(batches(), st.floats(1e-3, 1e3))
def test_norm_adaptive(batch, delta):
    features, _, _ = batch
    unit = F.normalize_rows(features)
    shrunk = F.norm_adaptive(features, unit, torch.tensor(delta, dtype=features.dtype))
    assert (shrunk.norm(dim=1) <= 1 + EPS[features.dtype]).all()
    assert ((shrunk * unit).sum(dim=1) >= 0).all()
    slope(lambda z: F.norm_adaptive(z, F.normalize_rows(z), torch.tensor(delta, dtype=z.dtype)), features)


@several
@given(batches(kinds=('hard',)), st.integers(1, 6), st.floats(0, 1e6), st.floats(0.1, 64), st.floats(0, 2))
def test_margins(batch, margin, plain, scale, additive):
    features, labels, prototypes = batch
    unit, eps = F.normalize_rows(features), EPS[features.dtype]
    cosines = unit @ prototypes.T
    own = torch.nn.functional.one_hot(labels, len(prototypes)).bool()
    logits = F.additive_margin_logits(cosines, labels, scale, additive)
    assert_close(logits[~own], scale * cosines[~own])
    assert_close(logits[own], scale * (cosines[own] - additive), rtol=eps, atol=eps * scale * 10)

    multiple = F.monotone_cos_multiple(cosines.clamp(-1, 1), margin)
    assert multiple.max() <= 1 + 1e-3 and multiple.min() >= 1 - 2 * margin - 1e-3
    ordered = F.monotone_cos_multiple(torch.linspace(-1, 1, 101, dtype=torch.float64), margin)
    assert (ordered.diff() >= -1e-9).all()

    weight = torch.tensor(plain, dtype=features.dtype)
    logits = F.multiplicative_margin_logits(features, labels, prototypes, margin, weight)
    products = features @ prototypes.T
    size = features.norm(dim=1, dtype=torch.float64).max().item()
    assert_close(logits[~own], products[~own], rtol=0, atol=eps * size)
    assert (logits[own] - products[own]).max() <= 1e-3 * size  # a margin never helps
    slope(lambda z: F.multiplicative_margin_logits(z, labels, prototypes, margin, weight) / max(size, 1), features)


@several
@given(batches(widest=15))
def test_centers(batch):
    """Up to 1e15: at 1e20 the square of a distance is not a float32."""
    features, labels, centers = batch
    soft = weights(labels, centers)
    losses, eps = F.center_loss(features, labels, centers), EPS[features.dtype]
    distances = torch.cdist(features.double(), centers.double()).square()
    assert_close(losses.double(), (soft.double() * distances).sum(dim=1) / 2, rtol=eps * 100, atol=eps * 100)
    slope(lambda z: F.center_loss(z, labels, centers), features)
    sums, counts = F.center_steps(features, labels, centers)
    assert counts.sum().item() == pytest.approx(len(features), rel=1e-5) and sums.shape == centers.shape
    total = features.sum(dim=0) - counts @ centers
    assert_close(sums.sum(dim=0), total, rtol=0, atol=eps * 10 * (1 + features.abs().max().item()) * len(features))


@several
@given(batches(kinds=('hard',)), st.floats(-20, 20))
def test_complement_entropy(batch, shift):
    features, labels, prototypes = batch
    logits, num_classes = features @ prototypes.T, len(prototypes)
    entropy = F.complement_entropy(logits, labels)
    assert entropy.shape == labels.shape
    sure = logits.detach().softmax(dim=1).gather(1, labels.unsqueeze(1))[:, 0] > 1 - 1e-3
    limit = math.log(num_classes - 1) + torch.where(sure, 1 / math.e, 0.0)  # where COT's 1e-7 begins to count
    assert entropy.min() >= -1e-4 and (entropy <= limit + 1e-4).all()
    if logits.abs().max() < 10:  # a larger logit of the true class leaves the others too little of float32
        assert_close(F.complement_entropy(logits + shift, labels), entropy, rtol=1e-3, atol=1e-3)
    slope(lambda z: F.complement_entropy(z, labels), logits)


@few
@given(st.integers(2, 40), st.integers(0, 20), st.integers(0, 2**32 - 1))
def test_pedcc(num_classes, spare, seed):
    centroids = F.pedcc(num_classes, num_classes - 1 + spare, seed)
    gram = torch.full((num_classes, num_classes), -1 / (num_classes - 1), dtype=torch.float64).fill_diagonal_(1)
    assert_close(centroids @ centroids.T, gram, rtol=0, atol=1e-12)
    assert_close(F.spread_centroids(num_classes, num_classes - 1 + spare, seed), centroids, rtol=0, atol=0)


@few
@given(st.integers(2, 40), st.integers(2, 12), st.integers(0, 2**32 - 1))
def test_spread_is_never_better_than_its_bound(num_classes, dim, seed):
    rows = F.spread_centroids(num_classes, dim, seed, steps=30)
    assert_close(rows.norm(dim=1), torch.ones(num_classes, dtype=torch.float64))
    assert F.max_cosine_lower_bound(num_classes, dim) <= F.max_cosine(rows) + 1e-12
    assert F.max_cosine(rows) < 1


@several
@given(batches(kinds=('hard',)), st.floats(1, 4), st.floats(0, 10))
def test_pod_loss_in_one_operation(batch, power, weight):
    """Value and gradient of the separate formulas, which autograd differentiates one by one."""
    features, labels, prototypes = batch
    eps, scale = EPS[features.dtype], 1 + weight * len(features) ** 2

    def separately(z):
        unit = F.normalize_rows(z)
        sc = F.self_correlation_loss(F.class_residuals(unit, labels, prototypes))
        return F.cosine_loss(unit, labels, prototypes, power).mean() + 3 * weight * sc

    def together(z):
        cosine, sc = F.pod_loss(z, labels, prototypes, power, weight)
        return cosine + 3 * sc

    assert_close(together(features), separately(features), rtol=eps * 10, atol=eps * 10 * scale)
    expected = slope(separately, features)
    largest = features.norm(dim=1, dtype=torch.float64).where(
        (features != 0).any(dim=1), 1
    )  # 1 / ||z|| scales the rows
    difference = (slope(together, features) - expected).double() * largest.unsqueeze(1)
    assert difference.abs().max() <= eps * 100 * scale


@several
@given(batches(), st.sampled_from([torch.float16, torch.bfloat16, None]), st.booleans())
def test_pod_loss(batch, half, autocast):
    """Any dtype, inside autocast or not: float32 or better inside, the same loss at any scale, finite gradients."""
    features, labels, prototypes = batch
    assert at_least_float32(features.to(half or features.dtype)).dtype == (torch.float32 if half else features.dtype)
    loss, eps = PODLoss(), EPS[features.dtype]
    at_scale_one = F.normalize_rows(features)
    if half:
        at_scale_one, prototypes = at_scale_one.to(half), prototypes.float()
        features, eps = at_scale_one, EPS[torch.float32]
        labels = labels.to(half) if labels.is_floating_point() else labels

    def total(z):
        with torch.autocast('cpu', enabled=autocast), no_autocast(z) if not autocast else torch.enable_grad():
            return sum(loss(z, labels, prototypes).values())

    value = total(features)
    assert value.dtype == (torch.float64 if features.dtype == torch.float64 else torch.float32)
    assert 0 <= value.item() < 4 + 16 * len(features) ** 2
    assert_close(total(at_scale_one), value, rtol=eps * 100, atol=eps * 10)
    slope(total, features)


@few
@given(batches(kinds=('hard',), min_samples=4), st.integers(1, 3))
def test_moments_shrinkage_and_densities(batch, cut):
    features, labels, prototypes = batch
    features, num_classes, dim = features.double(), len(prototypes), features.shape[1]
    size = features.abs().max().item()
    whole = class_moments(features, labels, num_classes)
    parts = accumulate_(class_moments(features[:cut], labels[:cut], num_classes), features[cut:], labels[cut:])
    for one, other, degree in zip(whole, parts, (0, 1, 2, 3, 4)):
        assert_close(one, other, rtol=0, atol=1e-10 * size**degree)
    assert whole.counts.tolist() == torch.bincount(labels, minlength=num_classes).tolist()
    intensity = F.ledoit_wolf_shrinkage(whole.scatter, whole.fourth, whole.counts)
    assert ((intensity >= 0) & (intensity <= 1)).all()
    pooled = whole.scatter.sum(0) / len(features)
    assert 0 <= gaussian_shrinkage(whole.scatter.sum(0), torch.tensor(float(len(features)))) <= 1
    shrunk = shrink(pooled, torch.tensor(0.5).double())
    assert_close(shrunk.trace(), pooled.trace(), rtol=1e-12, atol=0)
    factor, regular = cholesky_factor(shrunk)
    assert regular == (pooled.trace() > 0)
    if not regular:
        return
    assert_close(factor @ factor.T, shrunk, rtol=0, atol=1e-10 * size**2)
    whitening = whitening_factor(factor)
    distances = squared_distances(features, whole.means, whitening)
    centred = features.unsqueeze(1) - whole.means
    expected = (centred * torch.linalg.solve(shrunk, centred.mT.reshape(-1, dim, num_classes)).mT).sum(-1)
    assert_close(distances, expected, rtol=1e-6, atol=1e-8)
