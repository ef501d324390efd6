import pytest
import torch
from data_samples import samples_of
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from mmpod.functional import pedcc
from mmpod.models import NormAdaptivePODLoss, PEDCCHead, PODLoss


def inputs(num_samples=6, num_classes=4, dim=5):
    features = torch.randn(num_samples, dim, requires_grad=True)
    return features, torch.arange(num_samples) % num_classes, pedcc(num_classes, dim).float()


class Operations(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.append(str(function))
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize('num_samples', [4, 8])  # on both sides of D = 5
def test_a_step_takes_at_most_30_operations(num_samples):
    features, labels, centroids = inputs(num_samples)
    loss = PODLoss()
    loss(features, labels, centroids)  # checks the centroids once
    with Operations() as operations:
        terms = loss(features, labels, centroids)
        torch.autograd.grad(terms['loss_cosine'] + terms['loss_sc'], features)
    assert len(operations.names) <= 30, operations.names
    assert not any('local_scalar' in name or 'item' in name for name in operations.names)  # waits for no device


@pytest.mark.parametrize('loss', [PODLoss(), PODLoss(decorrelation='vicreg'), NormAdaptivePODLoss()])
def test_only_the_centroids_of_the_batch_are_read(loss):
    features, labels, centroids = inputs(6, 40, 50)
    exact = loss.eval()(features, labels, centroids)
    poisoned = centroids.clone()
    poisoned[6:] = float('nan')
    if type(loss) is PODLoss and loss.decorrelation == 'sc':
        loss._checked = poisoned, poisoned._version
    losses = loss(features, labels, poisoned)
    assert_close(losses, exact)
    sum(losses.values()).backward()
    assert features.grad.isfinite().all()


def test_a_second_derivative_is_refused():
    features, labels, centroids = inputs()
    with pytest.raises(RuntimeError, match='create_graph=False'):
        torch.autograd.grad(sum(PODLoss()(features, labels, centroids).values()), features, create_graph=True)


def test_backward_under_autocast_is_exact():
    features, labels, centroids = inputs(64, 4, 128)
    expected = torch.autograd.grad(sum(PODLoss()(features, labels, centroids).values()), features)[0]
    with torch.autocast('cpu', torch.bfloat16):
        grad = torch.autograd.grad(sum(PODLoss()(features, labels, centroids).values()), features)[0]
    assert_close(grad, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    'change, error, words',
    [
        (dict(labels=torch.zeros(5, dtype=torch.long)), ValueError, r'labels.*\(6,\).*\(5,\)'),
        (dict(labels=torch.zeros(6, 3)), ValueError, r'labels.*\(6, 4\).*\(6, 3\)'),
        (dict(labels=torch.zeros(6, dtype=torch.bool)), TypeError, r'labels.*bool'),
        (dict(features=torch.zeros(6, 9)), ValueError, r'centroids.*D = 9.*\(4, 5\)'),
        (dict(features=torch.zeros(0, 5), labels=torch.zeros(0)), ValueError, r'features.*N >= 1'),
        (dict(features=torch.zeros(6, 5, 1)), ValueError, r'features.*\(N, D\)'),
        (dict(features=torch.zeros(6, 5, dtype=torch.long)), TypeError, r'features.*floating point.*int64'),
        (dict(labels=torch.zeros(6, dtype=torch.long, device='meta')), ValueError, r'one device.*cpu, meta and cpu'),
    ],
)
def test_bad_batches(change, error, words):
    features, labels, centroids = inputs()
    with pytest.raises(error, match=words):
        PODLoss()(**{**dict(features=features, labels=labels, centroids=centroids), **change})


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_centroids_in_half_precision_are_scaled_to_unit_length(dtype):
    features, labels, centroids = inputs(6, 20, 64)
    centroids = centroids.to(dtype)
    lengths = centroids.double().norm(dim=1, keepdim=True)
    assert (lengths - 1).abs().max() > 1e-5
    expected = PODLoss()(features, labels, (centroids.double() / lengths).float())
    loss = PODLoss()
    assert_close(loss(features, labels, centroids), expected)
    with pytest.raises(ValueError, match='unit length, but got lengths from 2 to 2'):
        loss(features, labels, 2 * (centroids.double() / lengths).float())


def test_a_model_in_bfloat16_trains():
    head = PEDCCHead(num_classes=20, in_channels=8, feat_dim=64).to(torch.bfloat16)
    pooled = torch.randn(6, 8, dtype=torch.bfloat16)
    losses = head.loss(pooled, samples_of(range(6)))
    assert all(value.dtype == torch.float32 for value in losses.values())
    sum(losses.values()).backward()
    assert head.fc.weight.grad.isfinite().all() and head.fc.weight.grad.any()


def test_centroids_that_change_in_place_are_checked_again():
    features, labels, centroids = inputs()
    loss = PODLoss()
    loss(features, labels, centroids)
    with pytest.raises(ValueError, match='unit length, but got lengths from 3'):
        loss(features, labels, centroids.mul_(3))


def test_negative_soft_labels_are_refused():
    features, _, centroids = inputs(1)
    with pytest.raises(ValueError, match='soft `labels` to be at least 0, but got -1'):
        PODLoss()(features, torch.tensor([[2.0, -1, 0, 0]]), centroids)


def test_lengths_are_summed_in_float32_in_a_module_of_half_precision():
    features, labels, centroids = inputs(32)
    loss = NormAdaptivePODLoss().bfloat16()
    for _ in range(300):
        loss(features.detach(), labels, centroids)
    assert_close(loss.update_delta(1), features.detach().norm(dim=1).mean(), rtol=1e-3, atol=0)
