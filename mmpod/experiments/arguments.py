"""The arguments that the command lines of many runs share."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from mmpod.functional.centroids import MAX_SEED

__all__ = ['check_seeds', 'parse_runs']


def check_seeds(parser: argparse.ArgumentParser, seeds: Sequence[int]) -> None:
    """End with a message where a seed is none, or is there twice and would be counted twice."""
    if len(set(seeds)) < len(seeds) or not all(0 <= seed <= MAX_SEED for seed in seeds):
        parser.error(f'Expected --seeds to be different integers from 0 to {MAX_SEED}, but got {seeds}.')


def parse_runs(
    description: str, work_dir: str, add_own: Callable[[argparse.ArgumentParser], None]
) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """Parse the arguments of a command line that runs configs with seeds; it ends with a message where they are wrong.

    Args:
        description: Of the command.
        work_dir: Default of ``--work-dir``.
        add_own: Adds the command's own arguments.

    Returns:
        tuple[argparse.ArgumentParser, argparse.Namespace]: The parser, for further errors, and the arguments.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('configs', nargs='+', type=Path, help='the configs')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0], help='seeds of each config (default: 0)')
    parser.add_argument('--work-dir', type=Path, default=Path(work_dir), help=f'where all goes (default: {work_dir})')
    parser.add_argument('--jobs', type=int, default=1, help='runs at a time; they share the CPU cores (default: 1)')
    parser.add_argument('--processes', type=int, default=1, help='processes (GPUs) of each run, through torchrun')
    parser.add_argument('--cfg-options', nargs='+', default=[], help='overrides passed on to every run')
    add_own(parser)
    args = parser.parse_args()
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
    return parser, args
