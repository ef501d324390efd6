"""Try the same settings with several configs: the same number of trials for each, and a table of what they reach.

    python tools/tune.py configs/pod_resnet18w8_digits.py configs/softmax_resnet18w8_digits.py \
        --grid optim_wrapper.optimizer.lr=0.03,0.1,0.3 model.head.loss.loss_weight=1,5

What counts is the accuracy on `val_dataloader` after the last epoch. Choosing by the test set flatters the result:
for CIFAR and Tiny ImageNet, hold out a part of the training set, the M images of each class after the first N, with

    --cfg-options train_dataloader.dataset.samples_per_class=N val_dataloader.dataset.split=train \
        val_dataloader.dataset.skip_per_class=N val_dataloader.dataset.samples_per_class=M

Runs go to WORK_DIR/<config>/<settings>/seed<n>/. Cut off, the same command goes on where it stopped.
"""

import argparse
import sys
from pathlib import Path

from mmengine.config import Config

from mmpod.experiments.arguments import parse_runs
from mmpod.experiments.launch import format_option_mismatches, parse_overrides, plan_run, skip_if_done
from mmpod.experiments.launcher import Launcher
from mmpod.experiments.queue import run_all
from mmpod.experiments.run import Run
from mmpod.experiments.sweep import parse_grid, trial_table
from mmpod.utils.errors import errors_as_exit


def parse_args() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser, args = parse_runs(
        __doc__,
        'work_dirs/tune',
        lambda parser: parser.add_argument(
            '--grid', nargs='+', required=True, metavar='KEY=VALUES', help='values to try, by commas'
        ),
    )
    try:
        args.trials = parse_grid(args.grid)
    except ValueError as error:
        parser.error(str(error))
    return args


def warn_of_the_test_set(config: Path, options: list[str]) -> None:
    """Say so where the trials are judged by the images that the results are to be measured on."""
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(parse_overrides(options))
    if cfg.val_dataloader.dataset == cfg.test_dataloader.dataset:
        print(f'{config.stem}: val_dataloader reads the test set, so the best setting is chosen on it', file=sys.stderr)


def main() -> None:
    """Make the trials and write `table.md` into the work directory."""
    args = parse_args()
    launcher = Launcher(args.processes)
    runs, options, plans = {}, {}, []
    for seed in args.seeds:
        for config in args.configs:
            for trial in args.trials:
                run = Run(config.stem, seed, args.work_dir / config.stem / trial.name / f'seed{seed}')
                runs.setdefault((config.stem, trial.name), []).append(run)
                options[run] = [*args.cfg_options, *trial.overrides]
                if not skip_if_done(run, options[run]):
                    plans.append(plan_run(config, run, launcher, options[run], test=False))
    for config in args.configs:
        warn_of_the_test_set(config, args.cfg_options)
    failed = run_all(plans, args.jobs, launcher)
    done = {key: [run for run in group if run.state == 'done'] for key, group in runs.items()}
    table = trial_table([config.stem for config in args.configs], args.trials, done)
    table += format_option_mismatches((run, options[run]) for group in done.values() for run in group)
    args.work_dir.mkdir(parents=True, exist_ok=True)
    (args.work_dir / 'table.md').write_text(table + '\n')
    print(f'\nAccuracy (%) on the validation set after the last epoch\n\n{table}')
    if failed:
        sys.exit(f'{len(failed)} of {len(plans)} trials failed: ' + ', '.join(str(run.work_dir) for run in failed))


if __name__ == '__main__':
    with errors_as_exit():
        main()
