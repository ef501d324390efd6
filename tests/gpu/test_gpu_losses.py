"""Losses on a GPU against the same losses on the CPU in float64, and without waiting for the GPU."""

import copy

import pytest
import torch
from mmpretrain.registry import MODELS
from torch.testing import assert_close

from mmpod.functional import pedcc

pytestmark = pytest.mark.gpu
NUM_CLASSES, DIM, BATCH = 10, 32, 64
LOSSES = {
    'pod': dict(type='mmpod.PODLoss'),
    'cosine': dict(type='mmpod.PODLoss', sc_weight=0),
    'barlow': dict(type='mmpod.PODLoss', decorrelation='barlow'),
    'vicreg': dict(type='mmpod.PODLoss', decorrelation='vicreg'),
    'norm-adaptive': dict(type='mmpod.NormAdaptivePODLoss'),
    'pedcc': dict(type='mmpod.PEDCCLoss'),
    'am-softmax': dict(type='mmpod.AMSoftmaxLoss'),
    'a-softmax': dict(type='mmpod.ASoftmaxLoss'),
    'l-softmax': dict(type='mmpod.LSoftmaxLoss'),
    'center': dict(type='mmpod.CenterLoss', num_classes=NUM_CLASSES, feat_dim=DIM),
}
each = pytest.mark.parametrize('name', LOSSES)


def value_and_gradients(loss, features, labels, prototypes):
    features, prototypes = (tensor.detach().requires_grad_() for tensor in (features, prototypes))
    value = sum(loss(features, labels, prototypes).values())
    value.backward()
    return value.detach(), features.grad, prototypes.grad


@each
def test_value_and_gradient_are_those_of_the_cpu_in_float64(name):
    loss = MODELS.build(LOSSES[name])
    features, labels, prototypes = torch.randn(BATCH, DIM), torch.arange(BATCH) % NUM_CLASSES, pedcc(NUM_CLASSES, DIM)
    exact = value_and_gradients(copy.deepcopy(loss).double(), features.double(), labels, prototypes.double())
    fast = value_and_gradients(loss.cuda(), features.cuda(), labels.cuda(), prototypes.float().cuda())
    for ours, expected in zip(fast, exact):
        if expected is not None:
            assert ours.is_cuda
            assert_close(ours.cpu().double(), expected, rtol=1e-4, atol=1e-6)


@each
def test_no_step_waits_for_the_gpu(name):
    loss = MODELS.build(LOSSES[name]).cuda()
    features, labels = torch.randn(BATCH, DIM, device='cuda'), torch.arange(BATCH, device='cuda') % NUM_CLASSES
    prototypes = pedcc(NUM_CLASSES, DIM).float().cuda()
    value_and_gradients(loss, features, labels, prototypes)  # the first call sets the libraries up
    try:
        torch.cuda.set_sync_debug_mode('error')
        value_and_gradients(loss, features, labels, prototypes)
    finally:
        torch.cuda.set_sync_debug_mode('default')


def test_a_training_step_of_the_head_has_float32_terms_under_autocast():
    head = dict(
        type='mmpod.PEDCCHead', num_classes=NUM_CLASSES, in_channels=16, feat_dim=DIM, loss=dict(type='mmpod.PODLoss')
    )
    head = MODELS.build(head).cuda()
    pooled, labels = torch.randn(BATCH, 16, device='cuda'), torch.arange(BATCH, device='cuda') % NUM_CLASSES
    with torch.autocast('cuda', dtype=torch.float16):
        terms = head.loss_module(head.fc(pooled), labels, head.centroids)
    expected = head.loss_module(head.fc(pooled), labels, head.centroids)
    assert all(term.dtype == torch.float32 for term in terms.values())
    assert_close(terms['loss_cosine'], expected['loss_cosine'], rtol=1e-2, atol=0)
