"""Arguments shared by the command lines that make many runs, their checks, and making the runs."""

import argparse
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmpod.experiments.catalogue import CHECKPOINT_OF
from mmpod.experiments.plans import Launcher, plan_run
from mmpod.experiments.queue import run_all
from mmpod.experiments.run import Run
from mmpod.experiments.settings import check_effect
from mmpod.experiments.sweep import Trial, expand
from mmpod.functional.centroids import MAX_SEED

__all__ = ['check_jobs', 'check_runs', 'check_seeds', 'make_runs', 'queue_parser', 'runs_parser', 'trained_configs']


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
    parser.add_argument('--metric', help='metric to compare by (default: accuracy/top1, or the first in the logs)')
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


def make_runs(
    args: argparse.Namespace, trials: Sequence[Trial] = expand({}), sources: Mapping[Path, Path] = {}
) -> tuple[list[Run], list[Run]]:
    """Make the missing runs, the first seed first, and return those that are done and those that failed.

    A config in ``sources`` only evaluates the checkpoint of the config that it is mapped to.
    """

    def run_of(config: Path, trial: Trial, seed: int) -> Run:
        return Run(config.stem, seed, args.work_dir / config.stem / trial.name / f'seed{seed}', trial.name)

    check_effect(args.configs, args.cfg_options, [trial.overrides for trial in trials])
    launcher, runs, plans = Launcher(args.processes), [], []
    for seed, config, trial in itertools.product(args.seeds, args.configs, trials):
        source = (sources[config], run_of(sources[config], trial, seed)) if config in sources else None
        runs.append(run_of(config, trial, seed))
        plans.append(plan_run(config, runs[-1], launcher, [*args.cfg_options, *trial.overrides], source, test=False))
    failed = run_all([plan for plan in plans if plan], args.jobs, launcher)
    return [run for run in runs if run.state == 'done'], failed
