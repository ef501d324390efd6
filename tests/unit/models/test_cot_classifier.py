"""COT's training step against the same two steps written out in plain PyTorch."""

import copy
from types import SimpleNamespace

import pytest
import torch
from data_samples import samples_of
from mmengine.optim import AmpOptimWrapper, OptimWrapperDict, build_optim_wrapper
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from torch.testing import assert_close

from mmpod.functional import complement_entropy

OPTIMIZER = dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=5e-4)
CONSTRUCTOR = 'mmpod.COTOptimWrapperConstructor'


def classifier(**changes):
    """LeNet-5, which has no batch norm, on 32 x 32 grey images, three classes."""
    init_default_scope('mmpretrain')
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='mmpod.COTClassifier',
            backbone=dict(type='LeNet5'),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=3, in_channels=120),
            data_preprocessor=dict(num_classes=3, mean=[0.0], std=[1.0]),
            **changes,
        )
    )


def batch(num_samples=6, seed=1):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(num_samples, 1, 32, 32, generator=generator)
    labels = [index % 3 for index in range(num_samples)]
    return dict(inputs=images, data_samples=samples_of(labels)), labels


def optimizers(model, **changes):
    return build_optim_wrapper(model, dict(constructor=CONSTRUCTOR, optimizer=OPTIMIZER, **changes))


@pytest.mark.parametrize('clip', [None, 0.01])
@pytest.mark.parametrize('normalizer, divisor', [('K', 3), ('K-1', 2)])
def test_two_full_steps_per_batch(normalizer, divisor, clip):
    model = classifier(complement_loss=dict(type='mmpod.ComplementEntropyLoss', normalizer=normalizer))
    plain = copy.deepcopy(model)
    wrappers = optimizers(model, clip_grad=dict(max_norm=clip) if clip else None)
    settings = {key: value for key, value in OPTIMIZER.items() if key != 'type'}
    sgd = [torch.optim.SGD(plain.parameters(), **settings) for _ in range(2)]
    for seed in (1, 2):
        data, labels = batch(seed=seed)
        log = model.train_step(data, wrappers)
        labels, losses = torch.tensor(labels), []
        for optimizer, objective in zip(sgd, ('cross entropy', 'complement')):
            logits = plain.head.fc(plain.backbone(data['inputs'])[-1].flatten(1))
            if objective == 'cross entropy':
                losses.append(torch.nn.functional.cross_entropy(logits, labels))
            else:
                losses.append(-complement_entropy(logits, labels).mean() / divisor)
            optimizer.zero_grad()
            losses[-1].backward()
            if clip:
                torch.nn.utils.clip_grad_norm_(plain.parameters(), clip)
            optimizer.step()
        assert_close(log['loss'], losses[0])
        assert_close(log['loss_complement'], losses[1])
    for ours, theirs in zip(model.parameters(), plain.parameters()):
        assert_close(ours, theirs)


def test_each_objective_has_its_own_momentum():
    model = classifier()
    wrappers = optimizers(model)
    assert isinstance(wrappers, OptimWrapperDict) and set(wrappers.keys()) == {'primary', 'complement'}
    model.train_step(batch()[0], wrappers)
    weight = model.head.fc.weight
    first, second = (wrapper.optimizer.state[weight]['momentum_buffer'] for wrapper in wrappers.values())
    assert (first - second).abs().max() > 1e-4
    restored = optimizers(model)
    restored.load_state_dict(wrappers.state_dict())
    assert_close(restored['complement'].optimizer.state[weight]['momentum_buffer'], second)


def test_mixed_precision(monkeypatch):
    """What --amp makes of the config, with the CPU's bfloat16 in place of a GPU."""
    monkeypatch.setattr('mmengine.optim.optimizer.amp_optimizer_wrapper.is_cuda_available', lambda: True)
    model, exact = classifier(), classifier()
    wrappers = optimizers(model, type='AmpOptimWrapper', dtype='bfloat16', loss_scale='dynamic')
    assert all(isinstance(wrapper, AmpOptimWrapper) for wrapper in wrappers.values())
    log, expected = model.train_step(batch()[0], wrappers), exact.train_step(batch()[0], optimizers(exact))
    assert log['loss_complement'].dtype == torch.float32
    assert (log['loss'] - expected['loss']).abs() < 0.05
    for ours, theirs in zip(model.parameters(), exact.parameters()):
        assert_close(ours, theirs, rtol=0, atol=5e-3)


def test_one_optimizer_is_refused():
    model = classifier()
    with pytest.raises(TypeError, match='two optimizers.*COTOptimWrapperConstructor'):
        model.train_step(batch()[0], build_optim_wrapper(model, dict(optimizer=OPTIMIZER)))


def test_several_processes_without_the_wrapper_are_refused(monkeypatch):
    processes = SimpleNamespace(is_initialized=lambda: True, get_world_size=lambda: 2)
    monkeypatch.setattr('mmpod.models.classifiers.cot_classifier.dist', processes)
    model = classifier()
    with pytest.raises(TypeError, match='not wrapped.*model_wrapper_cfg.*COTDistributedDataParallel'):
        model.train_step(batch()[0], optimizers(model))


def test_accumulation_is_refused():
    with pytest.raises(ValueError, match='accumulative_counts.*4'):
        optimizers(classifier(), accumulative_counts=4)


def test_mixed_labels_are_refused():
    model = classifier(train_cfg=dict(augments=dict(type='Mixup', alpha=1.0)))
    with pytest.raises(ValueError, match='integer labels.*train_cfg.augments'):
        model.train_step(batch()[0], optimizers(model))


def test_predictions_are_those_of_the_plain_classifier():
    model, (data, _) = classifier().eval(), batch()
    assert [s.pred_label.item() for s in model.val_step(data)] == model(data['inputs']).argmax(1).tolist()
