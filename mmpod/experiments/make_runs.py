"""Make the runs of `tools/compare.py` and `tools/tune.py`: each config with each setting and seed."""

import argparse
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmpod.experiments.launcher import Launcher
from mmpod.experiments.queue import run_all
from mmpod.experiments.run_files import Run
from mmpod.experiments.run_plan import plan_run
from mmpod.experiments.studies.definitions import CHECKPOINT_OF
from mmpod.experiments.sweep import Trial, expand

__all__ = ['make_runs', 'trained_configs']


def trained_configs(configs: Sequence[Path]) -> dict[Path, Path]:
    """Return for each config that only evaluates the one whose checkpoint it reads.

    A shipped ``gda_DATA`` evaluates ``pod_DATA``; ``gda_NAME``, as the converter writes them, evaluates ``NAME``.

    Raises:
        ValueError: A shipped config is given without the one that it evaluates.
    """
    by_name, sources = {config.stem: config for config in configs}, {}
    for name, config in by_name.items():
        trained = [CHECKPOINT_OF.get(name, ''), name[4:] if name.startswith('gda_') else '']
        found = [by_name[other] for other in trained if other in by_name]
        if found:
            sources[config] = found[0]
        elif name in CHECKPOINT_OF:
            raise ValueError(f'Expected {CHECKPOINT_OF[name]} among the configs, because {name} evaluates it. Add it.')
    return sources


def make_runs(
    args: argparse.Namespace, trials: Sequence[Trial] = expand({}), sources: Mapping[Path, Path] = {}
) -> tuple[list[Run], list[Run]]:
    """Make the missing runs, the first seed first, and return those that are done and those that failed.

    A config in ``sources`` only evaluates the checkpoint of the config that it is mapped to.
    """

    def run_of(config: Path, trial: Trial, seed: int) -> Run:
        return Run(config.stem, seed, args.work_dir / config.stem / trial.name / f'seed{seed}', trial.name)

    launcher, runs, plans = Launcher(args.processes), [], []
    for seed, config, trial in itertools.product(args.seeds, args.configs, trials):
        source = (sources[config], run_of(sources[config], trial, seed)) if config in sources else None
        runs.append(run_of(config, trial, seed))
        plans.append(plan_run(config, runs[-1], launcher, [*args.cfg_options, *trial.overrides], source, test=False))
    failed = run_all([plan for plan in plans if plan], args.jobs, launcher)
    return [run for run in runs if run.state == 'done' and run not in failed], failed
