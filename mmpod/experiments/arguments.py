"""Arguments shared by the command lines that make many runs, their checks, and a function that makes the runs."""

import argparse
from pathlib import Path
from typing import Any

from mmpod.functional.centroids import MAX_SEED

__all__ = ['check_arguments', 'queue_parser', 'runs_parser']


def queue_parser() -> argparse.ArgumentParser:
    """Return a parent parser with the arguments of all command lines that make many runs."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        '--jobs',
        type=int,
        default=1,
        help='runs at a time; they share the cores, and the GPU unless each can have its own (default: 1)',
    )
    parser.add_argument('--processes', type=int, default=1, help='processes (GPUs) of each run (default: 1)')
    options: dict[str, Any] = dict(dest='cfg_options', default=[])
    parser.add_argument('--cfg-options', nargs='+', action='extend', help='overrides passed to every run', **options)
    parser.add_argument(
        '--fast', action='append_const', const='fast=True', help='keep small images in memory; use bfloat16', **options
    )
    return parser


def runs_parser(work_dir: str) -> argparse.ArgumentParser:
    """Return a parent parser that adds the configs, seeds and metric, and ``--work-dir`` with its default."""
    parser = argparse.ArgumentParser(add_help=False, parents=[queue_parser()])
    parser.add_argument('configs', nargs='+', type=Path, help='the configs')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0], help='seeds of each config (default: 0)')
    parser.add_argument('--work-dir', type=Path, default=Path(work_dir), help=f'output folder (default: {work_dir})')
    parser.add_argument('--metric', help='metric to compare by (default: accuracy/top1, or the first in the logs)')
    parser.add_argument('--lower-is-better', action='store_true', help='for metrics such as errors and losses')
    return parser


def check_arguments(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Exit with a message if an argument of these parsers is invalid; seeds given twice would be counted twice."""
    given = vars(args)
    seeds, configs = given.get('seeds') or [], given.get('configs', [])
    if len(set(seeds)) < len(seeds) or not all(0 <= seed <= MAX_SEED for seed in seeds):
        parser.error(f'Expected --seeds to be different integers from 0 to {MAX_SEED}, but got {seeds}.')
    if min(given.get('jobs', 1), given.get('processes', 1)) < 1:
        parser.error('Expected --jobs and --processes to be at least 1.')
    if len({config.stem for config in configs}) < len(configs):
        parser.error('Expected configs with different names, because a run is named after its config. Rename one.')
