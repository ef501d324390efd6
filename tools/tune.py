"""Try the same settings with several configs, with the same number of trials for each, and print a table.

    python tools/tune.py configs/small/pod_digits.py configs/small/softmax_digits.py \
        --grid optim_wrapper.optimizer.lr=0.03,0.1,0.3 model.head.loss.loss_weight=1,5

Trials are judged by the metric on `val_dataloader` after the last epoch. Choosing by the test set makes the result too
optimistic. For CIFAR and Tiny ImageNet, hold out a part of the training set, the M images per class after the first N:

    --cfg-options train_dataloader.dataset.samples_per_class=N val_dataloader.dataset.split=train \
        val_dataloader.dataset.skip_per_class=N val_dataloader.dataset.samples_per_class=M

Runs go to WORK_DIR/<config>/<settings>/seed<n>/. After an interruption, repeat the command to continue.
"""

import argparse
import sys
from pathlib import Path

from mmpod.experiments.arguments import check_arguments, runs_parser
from mmpod.experiments.comparison import trial_table
from mmpod.experiments.conditions import unequal_conditions
from mmpod.experiments.config_hash import resolved_config
from mmpod.experiments.make_runs import make_runs
from mmpod.experiments.run_files import choose_metric
from mmpod.experiments.sweep import parse_grid
from mmpod.utils.config_parts import type_name
from mmpod.utils.errors import errors_as_exit

# Arguments of a dataset that choose some of its images.
PARTS = ('indices', 'samples_per_class', 'skip_per_class')


def parse_args() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[runs_parser('work_dirs/tune')],
    )
    parser.add_argument('--grid', nargs='+', required=True, metavar='KEY=VALUES', help='values, separated by commas')
    args = parser.parse_args()
    check_arguments(parser, args)
    try:
        args.trials = parse_grid(args.grid)
    except ValueError as error:
        parser.error(str(error))
    return args


def warn_of_seen_images(config: Path, options: list[str]) -> None:
    """Warn if the trials are judged on the test set, or on images that are trained on."""
    cfg = resolved_config(config, options)
    names = ('train', 'val', 'test')
    train, val, test = (dict((cfg.get(f'{name}_dataloader') or {}).get('dataset') or {}) for name in names)
    parts = [[dataset.pop(name, None) for name in PARTS] for dataset in (train, val, test)]
    for dataset in (train, val, test):
        for name in ('pipeline', 'test_mode'):
            dataset.pop(name, None)
    way_out = 'hold out training images, see docs/compare.md'
    if val and val == test and (parts[1] == parts[2] or not all(any(part) for part in parts[1:])):
        print(
            f'{config.stem}: val_dataloader reads the test set, so the best setting is chosen on it; {way_out}',
            file=sys.stderr,
        )
    elif val and val == train and type_name(val) != 'KFoldDataset' and not _disjoint(*parts[:2]):
        print(
            f'{config.stem}: val_dataloader reads images that are trained on, so the best setting is the one that '
            f'memorises best; {way_out}',
            file=sys.stderr,
        )


def _disjoint(train: list, val: list) -> bool:
    """Return whether two parts of a dataset, each the values of `PARTS`, clearly have no image in common."""
    (indices, samples, skipped), (val_indices, _, val_skipped) = train, val
    if isinstance(indices, int) and isinstance(val_indices, int):
        return indices > 0 > val_indices  # the first and the last ones
    by_class = isinstance(samples, int) and isinstance(val_skipped, int)
    return by_class and val_skipped >= samples + (skipped or 0)


def main() -> None:
    """Make the trials and write `table.md` into the work directory."""
    args = parse_args()
    for config in args.configs:
        warn_of_seen_images(config, args.cfg_options)
    done, failed = make_runs(args, args.trials)
    metric = choose_metric(done, args.metric)
    table = trial_table([config.stem for config in args.configs], args.trials, done, metric, args.lower_is_better)
    if unequal := unequal_conditions([run for run in done if run.setting == args.trials[0].name]):
        table += f'\n\n{unequal}'
    args.work_dir.mkdir(parents=True, exist_ok=True)
    (args.work_dir / 'table.md').write_text(table + '\n')
    print(f'\n{table}')
    if failed:
        sys.exit(f'{len(failed)} of {len(failed) + len(done)} trials failed: ' + ', '.join(run.label for run in failed))


if __name__ == '__main__':
    with errors_as_exit():
        main()
