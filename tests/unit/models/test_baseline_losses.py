"""Each loss against its equations, from features to the terms, by loops in float64."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize
from torch.testing import assert_close

from mmpod.functional import multiplicative_margin_logits, pedcc
from mmpod.models import (
    AMSoftmaxLoss,
    ASoftmaxLoss,
    CenterLoss,
    ComplementEntropyLoss,
    LearnedPrototypeHead,
    LSoftmaxLoss,
    NormAdaptivePODLoss,
    PEDCCLoss,
    PODLoss,
)

NUM_CLASSES, DIM = 4, 6


def batch(num_samples=5):
    features = torch.randn(num_samples, DIM, dtype=torch.float64)
    return features, torch.arange(num_samples) % NUM_CLASSES, torch.randn(NUM_CLASSES, DIM, dtype=torch.float64)


def cosines_by_loops(features, prototypes):
    def length(v):
        return math.sqrt(sum(x * x for x in v))

    return [
        [sum(a * b for a, b in zip(z, p)) / length(z) / length(p) for p in prototypes.tolist()]
        for z in features.tolist()
    ]


def am_softmax_by_loops(features, labels, prototypes, scale, margin):
    """Eq. 3 as printed."""
    total = 0.0
    for row, label in zip(cosines_by_loops(features, prototypes), labels.tolist()):
        own = math.exp(scale * (row[label] - margin))
        total -= math.log(own / (own + sum(math.exp(scale * c) for j, c in enumerate(row) if j != label)))
    return total / len(features)


@pytest.mark.parametrize('settings, scale, margin', [(dict(scale=5, margin=0.25), 5, 0.25), ({}, 30, 0.35)])
def test_am_softmax_is_eq_3(settings, scale, margin):
    features, labels, prototypes = batch()
    losses = AMSoftmaxLoss(**settings)(features, labels, prototypes)
    assert_close(losses['loss_amsoftmax'].item(), am_softmax_by_loops(features, labels, prototypes, scale, margin))


def test_am_softmax_without_margin_takes_soft_labels():
    features, labels, prototypes = batch()
    soft = torch.rand(5, NUM_CLASSES).double().softmax(1)
    losses = AMSoftmaxLoss(scale=5, margin=0)(features, soft, prototypes)
    logits = 5 * torch.tensor(cosines_by_loops(features, prototypes)).double()
    assert_close(losses['loss_amsoftmax'], -(soft * logits.log_softmax(1)).sum(1).mean())


@pytest.mark.parametrize('root', [1, 2, 3])
def test_pedcc_loss_is_eq_6_to_8(root):
    features, labels, _ = batch()
    centroids = pedcc(NUM_CLASSES, DIM)
    losses = PEDCCLoss(scale=10, margin=0.5, mse_weight=0.7, root=root)(features, labels, centroids)
    assert_close(losses['loss_amsoftmax'].item(), am_softmax_by_loops(features, labels, centroids, 10, 0.5))
    unit = normalize(features)
    mse = sum(float((unit[i, d] - centroids[labels[i], d]) ** 2) for i in range(5) for d in range(DIM)) / (2 * 5)
    assert_close(losses['loss_mse'].item(), 0.7 * mse ** (1 / root))


def test_root_of_a_vanishing_distance_has_a_finite_gradient():
    centroids = pedcc(NUM_CLASSES, DIM)
    features = centroids.clone().requires_grad_()
    sum(PEDCCLoss(root=4)(features, torch.arange(4), centroids).values()).backward()
    assert features.grad.isfinite().all()


def test_l_softmax_anneals_from_softmax_to_the_margin():
    features, labels, prototypes = batch()
    loss = LSoftmaxLoss(margin=2, base=1e9, gamma=1.0, power=60.0)
    softmax = cross_entropy(features @ prototypes.T, labels)
    values = [loss(features, labels, prototypes)['loss_lsoftmax'].item() for _ in range(3)]
    assert_close(values[0], softmax.item(), rtol=1e-5, atol=0)
    hard = LSoftmaxLoss(margin=2, base=0)(features, labels, prototypes)['loss_lsoftmax'].item()
    assert_close(values[2], hard, rtol=1e-5, atol=0)
    assert hard > softmax
    assert loss.iteration == 3


@pytest.mark.parametrize(
    'loss, iteration, expected',
    [
        (ASoftmaxLoss(), 0, 1000.0),
        (ASoftmaxLoss(), 100, 1000 / 13),
        (ASoftmaxLoss(), 10**6, 5.0),
        (LSoftmaxLoss(), 20000, 1000 * 1.4**-45),
    ],
)
def test_lambda_follows_the_published_schedule(loss, iteration, expected):
    features, labels, prototypes = batch()
    loss.iteration.fill_(iteration)
    (measured,) = loss(features, labels, prototypes).values()
    prototypes = normalize(prototypes) if isinstance(loss, ASoftmaxLoss) else prototypes
    logits = multiplicative_margin_logits(features, labels, prototypes, loss.margin, torch.tensor(expected))
    assert_close(measured, cross_entropy(logits, labels), rtol=1e-7, atol=0)


def test_the_schedule_counts_training_batches_only():
    features, labels, prototypes = batch()
    loss = LSoftmaxLoss()
    loss.eval()(features, labels, prototypes)
    assert loss.iteration == 0
    loss.train()(features, labels, prototypes)
    assert loss.iteration == 1 and 'iteration' in loss.state_dict()


def test_the_schedule_of_a_half_precision_module_goes_on():
    """A bfloat16 count would stop at 256: 257 rounds to 256."""
    loss = LSoftmaxLoss().to(torch.bfloat16)
    loss.load_state_dict(dict(iteration=torch.tensor(256.0)))  # as mmpod 0.1 saved it
    loss(*batch())
    assert loss.iteration == 257 and loss.iteration.dtype == torch.int64


def test_a_softmax_is_l_softmax_with_unit_weights():
    features, labels, prototypes = batch()
    settings = dict(margin=4, base=10, gamma=0.1, power=1, lambda_min=5)
    a, scaled = (ASoftmaxLoss(**settings)(features, labels, p)['loss_asoftmax'] for p in (prototypes, 9 * prototypes))
    unit = LSoftmaxLoss(**settings)(features, labels, normalize(prototypes))['loss_lsoftmax']
    assert_close(a, unit)
    assert_close(a, scaled)


def test_center_loss_moves_its_centers():
    """Eq. 4 and the update, over two batches."""
    features, labels, prototypes = batch()
    loss = CenterLoss(NUM_CLASSES, DIM, center_weight=0.1, center_rate=0.5).double()
    centers = [[0.0] * DIM for _ in range(NUM_CLASSES)]
    for _ in range(2):
        losses = loss(features, labels, prototypes)
        pull = sum(
            (float(features[i, d]) - centers[labels[i]][d]) ** 2 / 2 for i in range(5) for d in range(DIM)
        ) / len(features)
        assert_close(losses['loss_center'].item(), 0.1 * pull)
        assert_close(losses['loss_softmax'], cross_entropy(features @ prototypes.T, labels))
        for k in range(NUM_CLASSES):
            members = [features[i].tolist() for i in range(5) if labels[i] == k]
            for d in range(DIM):
                delta = sum(centers[k][d] - x[d] for x in members) / (1 + len(members))
                centers[k][d] -= 0.5 * delta
        assert_close(loss.centers, torch.tensor(centers).double())
    loss.eval()(features, labels, prototypes)
    assert_close(loss.centers, torch.tensor(centers).double())
    assert not list(loss.parameters()) and 'centers' in loss.state_dict()


def test_centers_of_other_sizes_are_refused():
    features, labels, prototypes = batch()
    with pytest.raises(ValueError, match=r'feat_dim.*\(4, 6\).*\(4, 7\)'):
        CenterLoss(NUM_CLASSES, 7)(features, labels, prototypes)


@pytest.mark.parametrize('normalizer, divisor', [('K', 4), ('K-1', 3)])
def test_complement_entropy_loss(normalizer, divisor):
    logits, labels = torch.randn(5, 4, dtype=torch.float64), torch.tensor([0, 1, 2, 3, 0])
    expected = 0.0
    for row, label in zip(logits.softmax(1).tolist(), labels.tolist()):
        shares = [row[j] / (1 - row[label]) for j in range(4) if j != label]
        expected += sum(q * math.log(q) for q in shares) / 5 / divisor
    measured = ComplementEntropyLoss(normalizer)(logits, labels)['loss_complement']
    assert_close(measured.item(), expected, rtol=1e-5, atol=0)


def test_complement_entropy_refuses_what_has_no_complement():
    with pytest.raises(ValueError, match='num_classes'):
        ComplementEntropyLoss()(torch.randn(2, 1), torch.tensor([0, 0]))
    with pytest.raises(ValueError, match='integer `labels`'):
        ComplementEntropyLoss()(torch.randn(2, 3), torch.rand(2, 3))


@pytest.mark.parametrize('kind', ['barlow', 'vicreg'])
def test_other_decorrelations_replace_the_sc_term(kind):
    features, labels, _ = batch()
    centroids = pedcc(NUM_CLASSES, DIM)
    losses = PODLoss(sc_weight=0.5, decorrelation=kind)(features, labels, centroids)
    residuals = (normalize(features) - centroids[labels]).T
    matrix = torch.corrcoef(residuals) if kind == 'barlow' else torch.cov(residuals)
    expected = (matrix.square().sum() - matrix.diagonal().square().sum()) / (1 if kind == 'barlow' else DIM)
    assert losses.keys() == {'loss_cosine', f'loss_{kind}'}
    assert_close(losses[f'loss_{kind}'], 0.5 * expected, rtol=1e-5, atol=1e-7)


def test_norm_adaptive_term_and_schedule():
    features, labels, _ = batch()
    centroids = pedcc(NUM_CLASSES, DIM)
    loss = NormAdaptivePODLoss(initial_delta=0.05, rate=0.01).double()
    lengths = [math.sqrt(sum(v * v for v in z)) for z in features.tolist()]
    mean_length = sum(lengths) / 5
    for epoch, delta in enumerate((0.05, 0.01 * 1 * mean_length, 0.01 * 2 * mean_length), start=1):
        total = 0.0
        for z, length, label in zip(features.tolist(), lengths, labels.tolist()):
            dot = sum(a * b for a, b in zip(z, centroids[label].tolist()))
            total += (1 - dot / math.sqrt(length**2 + delta**2)) ** 2
        losses = loss(features, labels, centroids)
        assert_close(losses['loss_cosine'].item(), total / 5, rtol=1e-6, atol=0)
        assert_close(losses['loss_sc'], PODLoss()(features, labels, centroids)['loss_sc'])
        loss(features[:2], labels[:2], centroids)  # the rest of the epoch, with the same mean length
        loss(features[2:], labels[2:], centroids)
        loss.update_delta(epochs_trained=epoch)
    assert loss.length_count == 0


@pytest.mark.parametrize('settings, scale', [(dict(rate=0), 1.0), (dict(), 0.0)])
def test_delta_never_becomes_zero(settings, scale):
    features, labels, _ = batch()
    features, centroids = (scale * features).float(), pedcc(NUM_CLASSES, DIM).float()
    loss = NormAdaptivePODLoss(**settings)
    loss(features, labels, centroids)
    loss.update_delta(1)
    assert_close(loss.delta, torch.tensor(0.05))
    zero = torch.zeros(2, DIM, requires_grad=True)
    loss(zero, labels[:2], centroids)['loss_cosine'].backward()
    assert zero.grad.isfinite().all()


@pytest.mark.parametrize(
    'loss', [PODLoss(), PODLoss(power=1, sc_weight=0), NormAdaptivePODLoss()], ids=['pod', 'pedccmse', 'norm-adaptive']
)
def test_pod_takes_the_direction_of_learned_prototypes(loss):
    features, labels, prototypes = batch()
    losses = loss(features, labels, (100 * prototypes).requires_grad_())
    assert_close(losses, loss(features, labels, normalize(prototypes)))


def test_frozen_centroids_of_another_length_are_refused():
    features, labels, prototypes = batch()
    with pytest.raises(ValueError, match='centroids.*unit length.*normalize_rows'):
        PODLoss()(features, labels, 2 * normalize(prototypes))


@pytest.mark.parametrize(
    'loss, similarity',
    [
        (dict(type='mmpod.AMSoftmaxLoss'), 'cosine'),
        (dict(type='mmpod.ASoftmaxLoss'), 'cosine'),
        (dict(type='mmpod.LSoftmaxLoss'), 'dot'),
        (dict(type='mmpod.CenterLoss', num_classes=NUM_CLASSES, feat_dim=DIM), 'dot'),
        (dict(type='mmpod.PODLoss'), 'cosine'),
    ],
    ids=lambda value: value['type'] if isinstance(value, dict) else value,
)
def test_head_classifies_by_what_the_loss_trains(loss, similarity):
    head = LearnedPrototypeHead(NUM_CLASSES, DIM, loss)
    features, _, weights = (item.float() for item in batch())
    with torch.no_grad():
        head.fc.weight.copy_(weights)
    measured = head((features,))
    scores = torch.stack([sample.pred_score for sample in head.predict((features,))])
    if similarity == 'cosine':
        expected = cosines_by_loops(features, weights)
        expected_scores = [[(1 + cosine) / 2 for cosine in row] for row in expected]
    else:
        expected = [[sum(a * b for a, b in zip(x, w)) for w in weights.tolist()] for x in features.tolist()]
        expected_scores = [[math.exp(s) / sum(map(math.exp, row)) for s in row] for row in expected]
    assert_close(measured, torch.tensor(expected))
    assert_close(scores, torch.tensor(expected_scores))


def test_scores_of_far_inner_products_stay_above_zero():
    head = LearnedPrototypeHead(3, DIM, dict(type='mmpod.LSoftmaxLoss'))
    scores = head.scores(torch.tensor([[300.0, 100.0, -100.0]]))
    assert (scores > 0).all() and (scores < 1).all()


@pytest.mark.parametrize(
    'build, error, words',
    [
        (lambda: AMSoftmaxLoss(scale=0), ValueError, 'scale.*above 0'),
        (lambda: AMSoftmaxLoss(scale='5'), TypeError, 'scale'),
        (lambda: AMSoftmaxLoss(margin=-0.1), ValueError, 'margin'),
        (lambda: AMSoftmaxLoss(margin=2.5), ValueError, 'margin.*at most 2'),
        (lambda: PEDCCLoss(root=0.5), ValueError, 'root'),
        (lambda: PEDCCLoss(mse_weight=-1), ValueError, 'mse_weight'),
        (lambda: LSoftmaxLoss(margin=0), ValueError, 'margin'),
        (lambda: LSoftmaxLoss(margin=1.5), TypeError, 'margin'),
        (lambda: LSoftmaxLoss(gamma=-1), ValueError, 'gamma'),
        (lambda: ASoftmaxLoss(lambda_min=float('nan')), ValueError, 'lambda_min'),
        (lambda: CenterLoss(1, 4), ValueError, 'num_classes'),
        (lambda: CenterLoss(3, 4, center_rate=1.5), ValueError, 'center_rate.*at most 1'),
        (lambda: ComplementEntropyLoss('N'), ValueError, "normalizer.*'K', 'K-1'.*'N'"),
        (lambda: NormAdaptivePODLoss(initial_delta=0), ValueError, 'initial_delta'),
        (lambda: PODLoss(sc_weight=-1), ValueError, 'sc_weight'),
        (lambda: PODLoss(sc_weight='1'), TypeError, 'sc_weight'),
        (lambda: PODLoss(sc_weight=float('nan')), ValueError, 'sc_weight'),
        (lambda: PODLoss(power=0.5), ValueError, 'power'),
        (lambda: PODLoss(loss_weight=-0.1), ValueError, 'loss_weight'),
        (lambda: PODLoss(class_weight=[1, -1]), ValueError, '`class_weight` to be a finite number of at least 0.*-1'),
        (lambda: AMSoftmaxLoss(focal_gamma=-1), ValueError, '`focal_gamma`'),
        (lambda: PODLoss(decorrelation='cov'), ValueError, "decorrelation.*'sc'.*'cov'"),
        (lambda: LearnedPrototypeHead(1, 4, dict(type='mmpod.AMSoftmaxLoss')), ValueError, 'num_classes'),
        (lambda: LearnedPrototypeHead(3, 4, dict(type='CrossEntropyLoss')), TypeError, 'PrototypeLoss.*_delete_'),
        (lambda: ComplementEntropyLoss()(torch.randn(3), torch.tensor([0])), ValueError, r'logits.*\(N, K\).*\(3,\)'),
    ],
)
def test_bad_settings(build, error, words):
    with pytest.raises(error, match=words):
        build()


@pytest.mark.parametrize('loss', [CenterLoss(3, 4), LSoftmaxLoss(base=2, gamma=1, power=1)])
def test_state_is_replaced_and_not_changed_in_place(loss):
    """A gradient that `torch.compile` computes from the state later must see that of the forward pass."""
    name = 'centers' if isinstance(loss, CenterLoss) else 'iteration'
    before = getattr(loss, name)
    kept = before.clone()
    loss(torch.randn(6, 4), torch.arange(6) % 3, torch.randn(3, 4))
    assert torch.equal(before, kept) and not torch.equal(getattr(loss, name), kept)
    assert getattr(loss, name).dtype == kept.dtype and name in loss.state_dict()


def test_an_infinite_feature_does_not_ruin_the_centers():
    loss, features = CenterLoss(3, 4), torch.randn(6, 4)
    features[0, 0] = float('inf')
    loss(features, torch.arange(6) % 3, torch.randn(3, 4))
    assert loss.centers.isfinite().all() and loss.centers[1].any()
