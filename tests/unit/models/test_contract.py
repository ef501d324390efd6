"""What every loss must do, whatever its formula: the heads of all small configs, which differ by config alone."""

import re
from pathlib import Path

import pytest
import torch
from data_samples import samples_of
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from torch.testing import assert_close

from mmpod.models import PrototypeHead

CONFIGS = Path(__file__).resolve().parents[3] / 'configs'
MODEL_OF = {
    path.stem.replace('_cifar10_10k', ''): Config.fromfile(path).model
    for path in sorted(CONFIGS.glob('small/*_cifar10_10k*.py'))
    if not re.search(r'_(warmup|bn)$', path.stem)  # the same losses, other settings
    if not path.stem.startswith('gda')  # an evaluation
}
# COT has the head and loss of softmax and differs in the training step: see test_cot_classifier.py.
HEADS = {name: model.head for name, model in MODEL_OF.items() if name != 'cot'}
SOFT_LABELS = {'center', 'cosine', 'pedccmse', 'pod', 'pod_barlow', 'pod_normadaptive', 'pod_vicreg', 'softmax'}
NUM_CLASSES, CHANNELS = 10, 64


def build(name, **changes):
    init_default_scope('mmpretrain')
    head = MODELS.build(dict(HEADS[name], **changes))
    head.init_weights()
    return head


def objective(head, pooled, labels):
    return sum(value for name, value in head.loss((pooled,), samples_of(labels)).items() if 'loss' in name)


each = pytest.mark.parametrize('name', HEADS)
each_prototype_head = pytest.mark.parametrize('name', [name for name in HEADS if name != 'softmax'])


def test_every_loss_of_the_paper_is_here():
    losses = 'softmax lsoftmax asoftmax amsoftmax center cot pedccloss pedccmse cosine pod'.split()
    assert set(losses) | {'pod_normadaptive', 'pod_barlow', 'pod_vicreg'} == set(MODEL_OF)
    assert MODEL_OF['cot'].head == MODEL_OF['softmax'].head and MODEL_OF['cot'].type == 'mmpod.COTClassifier'


@each
def test_losses_are_finite_scalars_with_gradients(name):
    head, pooled, labels = build(name), torch.randn(12, CHANNELS).relu().requires_grad_(), torch.arange(12) % 10
    losses = head.loss((pooled,), samples_of(labels))
    assert all(key.startswith('loss') and value.ndim == 0 and value.isfinite() for key, value in losses.items())
    sum(losses.values()).backward()
    assert pooled.grad.isfinite().all() and pooled.grad.abs().max() > 0
    assert all(parameter.grad.abs().max() > 0 for parameter in head.parameters())


@each
def test_prediction_is_the_largest_score(name):
    head, pooled = build(name), torch.randn(12, CHANNELS)
    with torch.no_grad():
        forward, predictions = head((pooled,)), head.predict((pooled,))
    for row, sample in zip(forward, predictions):
        assert sample.pred_score.shape == (NUM_CLASSES,)
        assert ((sample.pred_score > 0) & (sample.pred_score < 1)).all()
        assert sample.pred_label.item() == row.argmax() == sample.pred_score.argmax()


@each
def test_it_learns_separable_classes(name):
    """Ten points in general position, one per class: 150 steps of gradient descent put all of them right."""
    torch.manual_seed(1)
    head, pooled, labels = build(name), torch.randn(10, CHANNELS), torch.arange(10)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.05, momentum=0.9)
    before = objective(head, pooled, labels).item()
    for _ in range(150):
        optimizer.zero_grad()
        objective(head, pooled, labels).backward()
        optimizer.step()
    assert head((pooled,)).argmax(1).equal(labels)
    assert objective(head, pooled, labels).item() < before


@each_prototype_head
@pytest.mark.parametrize('kind', ['zero', 'one sample', 'all equal', 'one class', 'aligned', 'opposite'])
def test_degenerate_batches_are_finite(name, kind):
    head, labels = build(name), torch.arange(10)
    features = torch.randn(10, head.prototypes.shape[1])
    if kind == 'zero':
        features = torch.zeros_like(features)
    elif kind == 'one sample':
        features, labels = features[:1], labels[:1]
    elif kind == 'all equal':
        features = features[:1].expand(10, -1)
    elif kind == 'one class':
        labels = torch.zeros(10, dtype=torch.long)
    else:
        features = (1 if kind == 'aligned' else -1) * head.prototypes.detach()
    features = features.clone().requires_grad_()
    losses = head.loss_module(features, labels, head.prototypes)
    sum(losses.values()).backward()
    assert all(value.isfinite() for value in losses.values()) and features.grad.isfinite().all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in head.parameters())


@each_prototype_head
@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_float32_under_autocast(name, dtype):
    head = build(name)
    features, labels = torch.randn(12, head.prototypes.shape[1]).to(dtype), torch.arange(12) % 10
    head.loss_module.eval()
    exact = head.loss_module(features.float(), labels, head.prototypes)
    with torch.autocast('cpu', torch.bfloat16):
        losses = head.loss_module(features, labels, head.prototypes)
    for key in exact:
        assert losses[key].dtype == torch.float32
        assert_close(losses[key], exact[key], rtol=1e-6, atol=1e-7)


@each_prototype_head
def test_soft_labels_are_right_or_refused(name):
    head, pooled, labels = build(name), torch.randn(12, CHANNELS), torch.arange(12) % 10
    head.loss_module.eval()  # the losses with a state would move on between the two calls
    one_hot = torch.nn.functional.one_hot(labels, NUM_CLASSES).float()
    if name not in SOFT_LABELS:
        with pytest.raises(ValueError, match='integer `labels`.*Mixup.*PODLoss'):
            head.loss((pooled,), samples_of(one_hot))
        return
    hard, soft = (head.loss((pooled,), samples_of(target)) for target in (labels, one_hot))
    for key in hard:
        assert_close(soft[key], hard[key])
    mixed = (0.3 * one_hot + 0.7 * one_hot.roll(1, 0)).requires_grad_(False)
    assert objective(head, pooled, mixed).isfinite()


@each_prototype_head
@pytest.mark.parametrize('label', [-100, -1, 10])  # -100 is what PyTorch's cross entropy leaves out
def test_labels_out_of_range(name, label):
    with pytest.raises(ValueError, match=rf'labels.*\[0, 10\).*{label}'):
        build(name).loss((torch.randn(2, CHANNELS),), samples_of(torch.tensor([0, label])))


@each_prototype_head
def test_arguments_are_not_written_to(name):
    head, labels = build(name), torch.arange(10)
    features, prototypes = torch.randn(10, head.prototypes.shape[1]), head.prototypes.detach().clone()
    copies = features.clone(), labels.clone(), prototypes.clone()
    head.loss_module(features, labels, prototypes)
    for before, after in zip(copies, (features, labels, prototypes)):
        assert_close(before, after, rtol=0, atol=0)


@each_prototype_head
def test_a_head_without_prototypes_is_refused(name):
    loss = build(name).loss_module
    with pytest.raises(TypeError, match='centroids.*PEDCCHead.*LearnedPrototypeHead'):
        loss(torch.randn(2, NUM_CLASSES), torch.tensor([0, 1]), avg_factor=None)
    with pytest.raises(ValueError, match=r'centroids.*D = 3'):
        loss(torch.randn(2, 3), torch.tensor([0, 1]), torch.randn(NUM_CLASSES, 5))


@each
def test_state_survives_a_checkpoint(name):
    head, pooled, labels = build(name), torch.randn(12, CHANNELS), torch.arange(12) % 10
    for _ in range(3):
        objective(head, pooled, labels)
    other = build(name)
    other.load_state_dict(head.state_dict())
    assert_close(objective(other, pooled, labels), objective(head, pooled, labels))


@each_prototype_head
def test_training_accuracy_and_loss_weight(name):
    loss = dict(HEADS[name].loss, loss_weight=3.0)
    plain, weighted = build(name), build(name, loss=loss, cal_acc=True, topk=(1, 5))
    weighted.load_state_dict(plain.state_dict())
    assert isinstance(plain, PrototypeHead)
    pooled, labels = torch.randn(12, CHANNELS), torch.arange(12) % 10
    before, after = (head.loss((pooled,), samples_of(labels)) for head in (plain, weighted))
    for key in before:
        assert_close(after[key], 3 * before[key])
    hits = (weighted((pooled,)).topk(5).indices == labels[:, None]).any(1).float().mean() * 100
    assert_close(after['accuracy_top-5'].item(), hits.item(), rtol=1e-5, atol=0)


@each_prototype_head
@pytest.mark.parametrize('dtype', [torch.int32, torch.uint8])
def test_labels_of_any_integer_type(name, dtype):
    head, features, labels = build(name), torch.randn(12, build(name).prototypes.shape[1]), torch.arange(12) % 10
    head.loss_module.eval()
    expected = head.loss_module(features, labels, head.prototypes)
    assert_close(head.loss_module(features, labels.to(dtype), head.prototypes), expected)


@pytest.mark.parametrize('name', [name for name in HEADS if name not in ('softmax', 'center')])  # these have one
def test_a_second_derivative_is_refused_and_not_wrong(name):
    head = build(name)
    labels = torch.arange(4)

    def total(pooled):
        return objective(head, pooled, labels)

    with pytest.raises(RuntimeError, match='differentiated only once'):
        torch.autograd.functional.hessian(total, torch.randn(4, CHANNELS))
