"""Arguments shared by the command lines that make many runs, their checks, and the metric to compare runs by."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import METRICS
from mmpretrain.structures import DataSample

from mmpod.experiments.catalogue import CHECKPOINT_OF
from mmpod.experiments.comparison import GEOMETRY
from mmpod.experiments.settings import resolve
from mmpod.functional.centroids import MAX_SEED
from mmpod.utils.errors import did_you_mean

__all__ = [
    'check_jobs',
    'check_runs',
    'check_seeds',
    'choose_metric',
    'queue_parser',
    'reported_metrics',
    'runs_parser',
    'trained_configs',
]


def check_seeds(parser: argparse.ArgumentParser, seeds: Sequence[int]) -> None:
    """Exit with a message if a seed is out of range, or given twice and would be counted twice."""
    if len(set(seeds)) < len(seeds) or not all(0 <= seed <= MAX_SEED for seed in seeds):
        parser.error(f'Expected --seeds to be different integers from 0 to {MAX_SEED}, but got {seeds}.')


def queue_parser() -> argparse.ArgumentParser:
    """Return a parent parser with the arguments of all command lines that make many runs."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument('--jobs', type=int, default=1, help='runs at a time; they share the CPU cores (default: 1)')
    parser.add_argument('--processes', type=int, default=1, help='processes (GPUs) of each run (default: 1)')
    options: dict[str, Any] = dict(dest='cfg_options', default=[])
    parser.add_argument('--cfg-options', nargs='+', action='extend', help='overrides passed to every run', **options)
    parser.add_argument(
        '--fast', action='append_const', const='fast=True', help='small images in memory, in bfloat16', **options
    )
    return parser


def runs_parser(work_dir: str) -> argparse.ArgumentParser:
    """Return a parent parser that adds the configs, seeds and metric, and ``--work-dir`` with its default."""
    parser = argparse.ArgumentParser(add_help=False, parents=[queue_parser()])
    parser.add_argument('configs', nargs='+', type=Path, help='the configs')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0], help='seeds of each config (default: 0)')
    parser.add_argument('--work-dir', type=Path, default=Path(work_dir), help=f'output folder (default: {work_dir})')
    parser.add_argument('--metric', help='metric to compare by (default: the first that val_evaluator reports)')
    parser.add_argument('--lower-is-better', action='store_true', help='for metrics such as errors and losses')
    return parser


def check_jobs(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Exit with a message if the numbers of :func:`queue_parser` are invalid."""
    if min(args.jobs, args.processes) < 1:
        parser.error('Expected --jobs and --processes to be at least 1.')


def check_runs(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Exit with a message if the arguments of :func:`runs_parser` are invalid."""
    for config in args.configs:
        if not config.is_file():
            parser.error(f'Expected config `{config}` to be a file, but there is none.')
        if config.suffix not in ('.py', '.json', '.yaml', '.yml'):
            parser.error(f'Expected config `{config}` to end in .py, .json, .yaml or .yml.')
    check_seeds(parser, args.seeds)
    if len({config.stem for config in args.configs}) < len(args.configs):
        parser.error('Expected configs of different names, because a run is known by its name.')
    check_jobs(parser, args)


def trained_configs(parser: argparse.ArgumentParser, configs: Sequence[Path]) -> dict[Path, Path]:
    """Return for each config that only evaluates the one whose checkpoint it reads.

    ``gda_NAME`` evaluates ``NAME``, as the converter writes them; a shipped ``gda_DATA`` evaluates ``pod_DATA``, and
    without that ends with a message.
    """
    by_name, sources = {config.stem: config for config in configs}, {}
    for name, config in by_name.items():
        shipped, beside = CHECKPOINT_OF.get(name, ''), name[4:] if name.startswith('gda_') else ''
        trained = next((source for source in (shipped, beside) if source in by_name), None)
        if trained is not None:
            sources[config] = by_name[trained]
        elif shipped:
            parser.error(f'Expected {shipped} beside {name}, which evaluates it.')
    return sources


def choose_metric(configs: Sequence[Path], overrides: Sequence[str], asked: Optional[str] = None) -> str:
    """Return the metric to compare configs by: the one asked for, or the first that the first config reports.

    Raises:
        ValueError: A config does not validate, or is known not to report the metric.
    """
    for config in configs:
        known, complete = reported_metrics(resolve(config, overrides))
        if asked is None and not known:
            raise ValueError(
                f'Expected val_evaluator of {config} to report a metric, but '
                + ('it reports none.' if complete else 'what it reports is only known after training. Use --metric.')
            )
        asked = asked or known[0]
        guess = did_you_mean(asked, known, cutoff=0.6)
        if asked not in known and (complete or guess):
            hint = f' Did you mean {guess}?' if guess else ''
            raise ValueError(
                f'Expected a metric that {config} reports in validation, {", ".join(known) or "but it has none"}, but '
                f'got {asked}.{hint}'
            )
    if asked is None:
        raise ValueError('Expected at least one config that is trained, but got none.')
    return asked


def reported_metrics(cfg: Config) -> tuple[list[str], bool]:
    """Return the names of the values that a config's validation reports, in order, and whether the list is complete.

    The names come from evaluating each metric on two made-up predictions. A metric that needs more than predictions
    makes the list incomplete.
    """
    init_default_scope(cfg.get('default_scope') or 'mmpretrain')
    evaluators = cfg.get('val_evaluator') or []
    names, complete = [], True
    for item in evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]:
        try:
            names += _names(item)
        except Exception:  # a custom metric may raise anything on made-up predictions
            complete = False
    hooks = cfg.get('default_hooks') or {}
    if (hooks.get('features') or {}).get('geometry'):
        names += [f'geometry/{name}' for name in GEOMETRY]
    return list(dict.fromkeys(names)), complete


def _names(item: dict) -> list[str]:
    metric, classes = METRICS.build(item), 1000
    metric.dataset_meta = dict(classes=[str(index) for index in range(classes)])
    samples = [
        DataSample().set_gt_label(label).set_gt_score(score).set_pred_label(label).set_pred_score(score).to_dict()
        for label, score in enumerate(torch.eye(classes)[:2])
    ]
    metric.process({}, samples)
    return [name for name, value in metric.evaluate(len(samples)).items() if torch.as_tensor(value).numel() == 1]
