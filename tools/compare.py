"""Train several configs with several seeds and compare them: a table, a CSV of the curves and a figure.

    python tools/compare.py configs/pod_resnet18w8_digits.py configs/softmax_resnet18w8_digits.py --seeds 0 1 2

Each run is a `tools/train.py` of its own in WORK_DIR/<config>/seed<n>/, at the total batch of its config. A `gda_*`
config is a `tools/test.py` of the last checkpoint of its `pod_*` config, which must be there too. Cut off, the same
command goes on where it stopped; finished runs are not repeated.
"""

import argparse
import sys

from mmpod.experiments.arguments import parse_runs
from mmpod.experiments.catalogue import CHECKPOINT_OF
from mmpod.experiments.comparison import curves_csv, geometry_table, summary_table
from mmpod.experiments.figures import plot_accuracy, plot_geometry
from mmpod.experiments.launch import format_option_mismatches, plan_run, skip_if_done
from mmpod.experiments.launcher import Launcher
from mmpod.experiments.queue import run_all
from mmpod.experiments.run import Run
from mmpod.utils.errors import errors_as_exit


def parse_args() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser, args = parse_runs(
        __doc__,
        'work_dirs/compare',
        lambda parser: parser.add_argument(
            '--target', type=float, default=95, help='accuracy in %% for "epochs to" (default: 95)'
        ),
    )
    by_name = {config.stem: config for config in args.configs}
    args.trained = {
        config: by_name.get(CHECKPOINT_OF[name]) for name, config in by_name.items() if name in CHECKPOINT_OF
    }
    for config, trained in args.trained.items():
        if trained is None:
            parser.error(f'Expected {CHECKPOINT_OF[config.stem]} beside {config.stem}, which evaluates it.')
    return args


def main() -> None:
    """Run the comparison and write `table.md`, `curves.csv` and `accuracy.png` into the work directory.

    Where the runs log the geometry (default_hooks.features.geometry=True), `geometry.md` and `geometry.png` as well.
    """
    args = parse_args()
    launcher = Launcher(args.processes)
    runs = {
        (config, seed): Run(config.stem, seed, args.work_dir / config.stem / f'seed{seed}')
        for config in args.configs
        for seed in args.seeds
    }
    plans = []
    for (config, seed), run in runs.items():
        if skip_if_done(run, args.cfg_options):
            continue
        trained = args.trained.get(config)
        source = (trained, runs[trained, seed]) if trained else None
        plans.append(plan_run(config, run, launcher, args.cfg_options, source, test=False))
    failed = run_all(plans, args.jobs, launcher)
    done = [run for run in runs.values() if run.state == 'done']
    if done:
        table = summary_table(done, args.target) + format_option_mismatches((run, args.cfg_options) for run in done)
        (args.work_dir / 'table.md').write_text(table + '\n')
        curves_csv(done, args.work_dir / 'curves.csv')
        plot_accuracy([run for run in done if run.accuracies()], args.work_dir / 'accuracy.png')
        measured = [run for run in done if run.curve('geometry/effective_rank')]
        if measured:
            (args.work_dir / 'geometry.md').write_text(geometry_table(measured) + '\n')
            plot_geometry(measured, args.work_dir / 'geometry.png')
        print(f'\n{table}\n\nAccuracy by epoch: {(args.work_dir / "accuracy.png").absolute()}')
    if failed:
        sys.exit(
            f'{len(failed)} of {len(runs)} runs failed: ' + ', '.join(f'{run.name} seed {run.seed}' for run in failed)
        )


if __name__ == '__main__':
    with errors_as_exit():
        main()
