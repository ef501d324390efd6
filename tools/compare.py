"""Train several configs with several seeds and compare them: a table, a verdict, a CSV of the curves and a figure.

    python tools/compare.py configs/small/pod_digits.py configs/small/softmax_digits.py --seeds 0 1 2

Each run calls `tools/train.py` in WORK_DIR/<config>/seed<n>/, with the total batch of its config. If both NAME and
`gda_NAME` are given (as the converter writes them), `gda_NAME` calls `tools/test.py` on the last checkpoint of NAME. A
shipped `gda_*` config tests the last checkpoint of its `pod_*` config, which must be given too. After an interruption,
repeat the command to continue. Finished runs are not repeated; if their config has changed, they are refused.
"""

import argparse
import sys

from mmpod.experiments.arguments import check_arguments, runs_parser
from mmpod.experiments.comparison import curves_csv, final_values, geometry_table, summary_table, verdict
from mmpod.experiments.conditions import unequal_conditions
from mmpod.experiments.config_hash import resolved_config
from mmpod.experiments.figures import loss_names, plot_accuracy, plot_geometry
from mmpod.experiments.make_runs import make_runs, trained_configs
from mmpod.experiments.run_files import Run, choose_metric
from mmpod.utils.errors import errors_as_exit


def parse_args() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[runs_parser('work_dirs/compare')],
    )
    parser.add_argument(
        '--target', type=float, help='value of the metric for "epochs to" (default: 90 %% of each last value)'
    )
    args = parser.parse_args()
    check_arguments(parser, args)
    return args


def report(args: argparse.Namespace, done: list[Run]) -> None:
    """Write `table.md`, `curves.csv` and `accuracy.png` into the work directory, and print the table.

    If the runs log the geometry (default_hooks.features.geometry=True), also write `geometry.md` and `geometry.png`.
    """
    args.metric = choose_metric(done, args.metric)
    names = dict.fromkeys(run.name for run in done)
    values = {name: final_values((run for run in done if run.name == name), args.metric) for name in names}
    parts = [
        summary_table(done, args.metric, args.target, args.lower_is_better),
        unequal_conditions(done),
        verdict(values, args.metric, args.lower_is_better),
    ]
    table = '\n\n'.join(part for part in parts if part)
    (args.work_dir / 'table.md').write_text(table + '\n')
    curves_csv(done, args.work_dir / 'curves.csv', args.metric)
    name = 'accuracy' if args.metric.startswith('accuracy/') else args.metric.replace('/', '_')
    figure = args.work_dir / f'{name}.png'
    losses = loss_names({config.stem: resolved_config(config, args.cfg_options).model for config in args.configs})
    drawn = [(losses[run.name], run) for run in done if run.curve(args.metric)]
    if drawn:
        plot_accuracy(drawn, figure, args.metric, f'{args.metric} by epoch')
    measured = [run for run in done if run.curve('geometry/effective_rank')]
    if measured:
        (args.work_dir / 'geometry.md').write_text(geometry_table(measured) + '\n')
        plot_geometry([(losses[run.name], run) for run in measured], args.work_dir / 'geometry.png')
    band = ' (line: mean over the seeds, band: lowest to highest seed)' if len(args.seeds) > 1 else ''
    shown = f'{args.metric} by epoch: {figure.absolute()}{band}'
    print(f'\n{table}\n\n{shown if drawn else f"No run has {args.metric} by epoch, so there is no figure."}')


def main() -> None:
    """Make the missing runs, and compare all runs."""
    args = parse_args()
    done, failed = make_runs(args, sources=trained_configs(args.configs))
    if done:
        report(args, done)
    if failed:
        sys.exit(f'{len(failed)} of {len(failed) + len(done)} runs failed: ' + ', '.join(run.label for run in failed))


if __name__ == '__main__':
    with errors_as_exit():
        main()
