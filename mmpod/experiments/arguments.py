"""The arguments that the command lines of many runs share."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmpod.functional.centroids import MAX_SEED

__all__ = ['check_runs', 'check_seeds', 'runs_parser']


def check_seeds(parser: argparse.ArgumentParser, seeds: Sequence[int]) -> None:
    """End with a message where a seed is out of range, or is there twice and would be counted twice."""
    if len(set(seeds)) < len(seeds) or not all(0 <= seed <= MAX_SEED for seed in seeds):
        parser.error(f'Expected --seeds to be different integers from 0 to {MAX_SEED}, but got {seeds}.')


def runs_parser(work_dir: str) -> argparse.ArgumentParser:
    """Return a parent parser with the arguments of a command line that runs configs with seeds.

    Args:
        work_dir: Default of ``--work-dir``.
    """
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument('configs', nargs='+', type=Path, help='the configs')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0], help='seeds of each config (default: 0)')
    parser.add_argument('--work-dir', type=Path, default=Path(work_dir), help=f'output folder (default: {work_dir})')
    parser.add_argument('--jobs', type=int, default=1, help='runs at a time; they share the CPU cores (default: 1)')
    parser.add_argument('--processes', type=int, default=1, help='processes (GPUs) of each run, through torchrun')
    parser.add_argument('--cfg-options', nargs='+', default=[], help='overrides passed on to every run')
    parser.add_argument('--metric', help="what counts (default: the first that the config's val_evaluator reports)")
    parser.add_argument('--lower-is-better', action='store_true', help='of the metric, such as an error or a loss')
    return parser


def check_runs(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """End with a message where the arguments of :func:`runs_parser` are wrong."""
    for config in args.configs:
        if not config.is_file():
            parser.error(f'Expected config `{config}` to be a file, but there is none.')
        if config.suffix not in ('.py', '.json', '.yaml', '.yml'):
            parser.error(f'Expected config `{config}` to end in .py, .json, .yaml or .yml.')
    check_seeds(parser, args.seeds)
    if len({config.stem for config in args.configs}) < len(args.configs):
        parser.error('Expected configs of different names, because a run is known by its name.')
    if min(args.jobs, args.processes) < 1:
        parser.error('Expected --jobs and --processes to be at least 1.')
