"""The metric that runs are compared by."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import METRICS
from mmpretrain.structures import DataSample

from mmpod.experiments.settings import resolve

__all__ = ['GEOMETRY', 'choose_metric', 'number_format', 'reported_metrics', 'unit']

GEOMETRY = (
    'target_cosine',
    'max_nontarget_cosine',
    'within_between',
    'nc1',
    'nc2_equinorm',
    'nc2_equiangularity',
    'nc2_max_angle',
    'nc3_self_duality',
    'effective_rank',
)
PERCENTAGES = ('accuracy', 'cosine', 'gda', 'multi-label', 'single-label')


def choose_metric(configs: Sequence[Path], overrides: Sequence[str], asked: Optional[str] = None) -> str:
    """Return the metric to compare configs by: the one asked for, or what the first one's evaluator reports first.

    Raises:
        ValueError: A config does not validate, or is known not to report the metric.
    """
    for config in configs:
        cfg = resolve(config, overrides)
        known, complete = reported_metrics(cfg)
        if asked is None and not known:
            raise ValueError(
                f'Expected val_evaluator of {config} to report a metric, but '
                + ('it reports none.' if complete else 'what it reports is only known after training. Use --metric.')
            )
        asked = asked or known[0]
        similar = difflib.get_close_matches(asked, known, 1)
        if asked not in known and (complete or similar):
            hint = f' Did you mean {similar[0]}?' if similar else ''
            raise ValueError(
                f'Expected a metric that {config} reports in validation, {", ".join(known) or "but it has none"}, but '
                f'got {asked}.{hint}'
            )
    if asked is None:
        raise ValueError('Expected at least one config that is trained, but got none.')
    return asked


def reported_metrics(cfg: Config) -> tuple[list[str], bool]:
    """Return the names of what a config's validation reports, in its order, and whether these are known to be all.

    Each metric is asked by evaluating two invented predictions; one that needs more than predictions is not known.
    """
    init_default_scope(cfg.get('default_scope') or 'mmpretrain')
    evaluators = cfg.get('val_evaluator') or []
    names, complete = [], True
    for item in evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]:
        try:
            names += _names(item)
        except Exception:  # whatever somebody's metric makes of the invented predictions
            complete = False
    hooks = cfg.get('default_hooks') or {}
    if (hooks.get('features') or {}).get('geometry'):
        names += [f'geometry/{name}' for name in GEOMETRY]
    return list(dict.fromkeys(names)), complete


def _names(item: dict) -> list[str]:
    metric, classes = METRICS.build(item), 1000
    metric.dataset_meta = dict(classes=[str(index) for index in range(classes)])
    scores = torch.eye(classes)[:2]
    samples = [
        DataSample().set_gt_label(label).set_gt_score(score).set_pred_label(label).set_pred_score(score).to_dict()
        for label, score in enumerate(scores)
    ]
    metric.process({}, samples)
    return [name for name, value in metric.evaluate(len(samples)).items() if torch.as_tensor(value).numel() == 1]


def unit(metric: str) -> str:
    """Return what is written after the name of a metric."""
    return ', %' if metric.partition('/')[0] in PERCENTAGES else ''


def number_format(metric: str) -> str:
    """Return the format of its values: two digits of a percentage, four significant ones of anything else."""
    return '.2f' if unit(metric) else '.4g'
