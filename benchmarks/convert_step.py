"""One training step and one prediction of a converted model and its original, for convert_sweep.py."""

import copy
import fcntl
import math
import tempfile
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

__all__ = ['step']

LARGE = 250e6  # parameters


def build(cfg: Config) -> torch.nn.Module:
    """Return the model as a Runner would start it, without fetched weights."""
    model = copy.deepcopy(cfg.model.to_dict())
    preprocessor = dict(cfg.get('data_preprocessor') or {}, num_classes=model['head'].get('num_classes'))
    model.setdefault('data_preprocessor', preprocessor)
    model = MODELS.build(_without_pretrained(model))
    model.init_weights()
    return model.train()


def step(cfg: Config, original: Config, size: tuple[int, int], images: int) -> dict:
    """Train one step, predict, and compare the parameters without gradient with the original's."""
    torch.manual_seed(0)
    model = build(cfg)
    count = sum(parameter.numel() for parameter in model.parameters())
    optimizer = dict(optimizer=dict(type='SGD', lr=1e-3))  # if the config has none, because it trains on IPUs
    settings = copy.deepcopy(dict(cfg.get('optim_wrapper') or optimizer))
    settings.update(type='OptimWrapper')
    for key in ('loss_scale', 'dtype', 'use_fp16'):
        settings.pop(key, None)
    wrapper = build_optim_wrapper(model, settings)
    with open(Path(tempfile.gettempdir()) / 'mmpod_convert_sweep.lock', 'w') as lock:
        if count > LARGE:  # one at a time, without the optimizer's state
            fcntl.flock(lock, fcntl.LOCK_EX)
            wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3))
        mean = cfg.get('data_preprocessor', {}).get('mean') or cfg.model.get('data_preprocessor', {}).get('mean')
        shape = (images, len(mean or (0, 0, 0)), *size)
        losses = backward(model, shape, wrapper)
        missing = without_gradient(model)
        wrapper.step()
        wrapper.zero_grad()
        row = dict(million_parameters=f'{count / 1e6:.1f}', loss=f'{losses:.4f}', without_gradient=len(missing))
        row['predicted'] = predicts(model, shape)
        del model, wrapper
        if missing:
            row['original_without_gradient'], extra = compare(original, shape, missing)
            if extra:
                raise ValueError(f'parameters without gradient that have one in the original: {sorted(extra)[:5]}')
    if not math.isfinite(losses) or row['predicted'] is not True:
        raise ValueError(f'loss {losses}, prediction {row["predicted"]}')
    return row


def backward(model: torch.nn.Module, shape: tuple, wrapper: OptimWrapper) -> float:
    """Run one forward and backward pass on generated images and return the loss."""
    with wrapper.optim_context(model):
        data = model.data_preprocessor(batch(shape), training=True)
        loss, _ = model.parse_losses(model(**data, mode='loss'))
    wrapper.backward(loss)
    return loss.item()


def batch(shape: tuple) -> dict:
    """Return images with labels, as a loader would."""
    images = list(torch.randint(256, shape, dtype=torch.uint8))
    return dict(inputs=images, data_samples=[DataSample().set_gt_label(label) for label in range(len(images))])


def without_gradient(model: torch.nn.Module) -> set:
    """Return the names of the trainable parameters that got no gradient, for which DDP would stop."""
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad and parameter.grad is None}


def predicts(model: torch.nn.Module, shape: tuple):
    """Return True, or what is wrong with the prediction."""
    with torch.no_grad():
        samples = model.eval().test_step(batch(shape))
    for sample in samples:
        score, label = sample.pred_score, sample.pred_label
        if score.shape != (model.head.num_classes,) or not bool(((score > 0) & (score < 1)).all()):
            return f'scores {tuple(score.shape)} from {score.min()} to {score.max()}'
        if label.item() != score.argmax().item():
            return f'label {label.item()} with the largest score at {score.argmax().item()}'
    return True


def compare(original: Config, shape: tuple, missing: set) -> tuple[str, set]:
    """Return how many parameters get no gradient in the original, and which of ``missing`` do get one there."""
    try:
        model = build(original)
        backward(model, shape, OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3)))
    except NotImplementedError as error:
        return f'cannot train: {error}', set()
    reference = without_gradient(model)
    return str(len(reference)), {name for name in missing if name not in reference}


def _without_pretrained(item):
    if isinstance(item, dict):
        pretrained = isinstance(item.get('init_cfg'), dict) and item['init_cfg'].get('type') == 'Pretrained'
        return {k: _without_pretrained(v) for k, v in item.items() if not (k == 'init_cfg' and pretrained)}
    return type(item)(map(_without_pretrained, item)) if type(item) in (tuple, list) else item
