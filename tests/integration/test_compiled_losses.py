"""POD Loss under `torch.compile`: one graph, and the same values and gradients."""

import pytest
import torch
from torch.testing import assert_close

from mmpod.functional import pedcc
from mmpod.models import NormAdaptivePODLoss, PODLoss

pytestmark = pytest.mark.skipif(
    not hasattr(torch.compiler, 'is_compiling'), reason='PyTorch before 2.3 cannot trace the loss'
)


def inputs(num_samples=6):
    features = torch.randn(num_samples, 5, requires_grad=True)
    return features, torch.arange(num_samples) % 4, pedcc(4, 5).float()


@pytest.mark.parametrize('soft', [False, True])
@pytest.mark.parametrize('loss', [PODLoss(), PODLoss(sc_weight=0), NormAdaptivePODLoss().eval()])
def test_compiles_without_a_graph_break(loss, soft):
    features, labels, centroids = inputs()
    labels = torch.nn.functional.one_hot(labels, 4).float() if soft else labels
    compiled = torch.compile(lambda z: sum(loss(z, labels, centroids).values()), fullgraph=True, backend='aot_eager')
    value, expected = compiled(features), sum(loss(features, labels, centroids).values())
    assert_close(value, expected)
    assert_close(*(torch.autograd.grad(total, features)[0] for total in (value, expected)))


@pytest.mark.parametrize('loss', [PODLoss(), PODLoss(sc_weight=0, power=3)])
def test_compiles_for_batches_of_any_size(loss):
    compiled = torch.compile(
        lambda z, y, p: sum(loss(z, y, p).values()), fullgraph=True, dynamic=True, backend='aot_eager'
    )
    for num_samples in (6, 9, 3):
        features, labels, centroids = inputs(num_samples)
        value, expected = compiled(features, labels, centroids), sum(loss(features, labels, centroids).values())
        assert_close(value, expected)
        assert_close(*(torch.autograd.grad(total, features)[0] for total in (value, expected)))
