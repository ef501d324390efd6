"""What experiments cost, from the operations of their networks: an estimate to plan with, before anything has run."""

import copy
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch.utils.flop_counter import FlopCounterMode

from mmpod.experiments.catalogue import CHECKPOINT_OF, TABLES
from mmpod.experiments.datasets import dataset_of
from mmpod.experiments.run import Run
from mmpod.experiments.selection import Selection
from mmpod.registry import MODELS

__all__ = ['forward_flops', 'remaining', 'training_flops']

# Forward, gradient by the activations, gradient by the weights.
PASSES = 3


@functools.lru_cache
def _forward_flops(model: str, side: int) -> int:
    init_default_scope('mmpretrain')
    network = MODELS.build(Config.fromstring(model, '.py').model).to('meta').eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.extract_feat(torch.empty(1, 3, side, side, device='meta'))
    return counter.get_total_flops()


def forward_flops(cfg: Config, side: int) -> int:
    """Return the floating-point operations (two a multiply-add) of one image's way to the features.

    Args:
        cfg: The config.
        side: Pixels of the image's sides.
    """
    # Without the head: a few thousandths of a ResNet-50's operations.
    model = dict(type='mmpretrain.ImageClassifier', backbone=cfg.model.backbone, neck=cfg.model.neck)
    return _forward_flops(Config(dict(model=copy.deepcopy(model))).dump(), side)


def training_flops(path: Path) -> float:
    """Return the operations of a config's training with its validations, or of an evaluation's extraction.

    Args:
        path: A leaf, ``<loss>_<backbone>_<dataset>[_<variant>].py``.
    """
    cfg = Config.fromfile(path)
    _, train, test, side = dataset_of(path.stem)
    forward = forward_flops(cfg, side)
    if path.stem in CHECKPOINT_OF:
        return forward * (train + test)
    updates = 2 if cfg.model.type == 'mmpod.COTClassifier' else 1
    return forward * cfg.train_cfg.max_epochs * (PASSES * updates * train + test / cfg.train_cfg.get('val_interval', 1))


def remaining(
    selection: Selection, run_of: Callable[[str, int], Run], seeds: Sequence[int], configs: Path, tflops: float
) -> str:
    """Return what is not done of a selection, by table, as Markdown; a run counts in the first table that needs it.

    Args:
        selection: What to look at.
        run_of: From the name of a config and a seed to the run.
        seeds: Seeds to look for.
        configs: Folder of the leaves.
        tflops: 10^12 operations a second that the GPU sustains in training: an assumption of the caller's.
    """
    lines = ['| table | runs to do | GPU-hours |', '|---|---|---|']
    seen, totals = set(), [0, 0.0]
    for table in selection.cells:
        wanted = [config for config in TABLES[table].configs if config in selection.configs and config not in seen]
        seen.update(wanted)
        todo = [config for config in wanted for seed in seeds if run_of(config, seed).state != 'done']
        if todo:
            hours = sum(training_flops(configs / f'{config}.py') for config in todo) / (tflops * 1e12 * 3600)
            lines.append(f'| {table} | {len(todo)} | {hours:.2f} |')
            totals = [totals[0] + len(todo), totals[1] + hours]
    return '\n'.join([*lines, f'| all | {totals[0]} | {totals[1]:.2f} |'])
