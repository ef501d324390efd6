"""Train several configs with several seeds and compare them: a table, a CSV of the curves and a figure.

    python tools/compare.py configs/pod_resnet18w8_digits.py configs/softmax_resnet18w8_digits.py --seeds 0 1 2

Each run is a `tools/train.py` of its own in WORK_DIR/<config>/seed<n>/. Cut off, the same command goes on where it
stopped; finished runs are not repeated.
"""

import argparse
import sys
from pathlib import Path

from mmengine.config import Config

from mmpod.apis import Launcher, Plan, Run, curves_csv, plot_accuracy, run_all, summary_table
from mmpod.apis.jobs import parse_overrides


def parse_args() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('configs', nargs='+', type=Path, help='the configs to compare')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0], help='seeds of each config (default: 0)')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/compare'), help='where everything goes')
    parser.add_argument('--jobs', type=int, default=1, help='runs at a time; they share the CPU cores (default: 1)')
    parser.add_argument('--processes', type=int, default=1, help='processes (GPUs) of each run, through torchrun')
    parser.add_argument('--target', type=float, default=95, help='accuracy in %% for "epochs to" (default: 95)')
    parser.add_argument('--cfg-options', nargs='+', default=[], help='overrides passed on to every run')
    args = parser.parse_args()
    for config in args.configs:
        if not config.is_file():
            parser.error(f'Expected config `{config}` to be a file, but there is none.')
    if len({config.stem for config in args.configs}) < len(args.configs):
        parser.error('Expected configs of different names, because a run is known by its name.')
    if args.jobs < 1 or args.processes < 1:
        parser.error('Expected --jobs and --processes to be at least 1.')
    return args


def main() -> None:
    """Run the comparison and write `table.md`, `curves.csv` and `accuracy.png` into the work directory."""
    args = parse_args()
    launcher = Launcher(args.processes)
    runs, plans = [], []
    for config in args.configs:
        cfg = Config.fromfile(config)
        cfg.merge_from_dict(parse_overrides(args.cfg_options))
        for seed in args.seeds:
            run = Run(config.stem, seed, args.work_dir / config.stem / f'seed{seed}')
            runs.append(run)
            if run.state == 'done':
                print(f'{run.name} seed {seed}: finished before, {run.work_dir}')
                continue
            options = ['--cfg-options', f'randomness.seed={seed}', *args.cfg_options]
            command = launcher.train(config, run.work_dir, options)
            plans.append(Plan(run, [command], cfg.train_cfg.max_epochs, dict(options=args.cfg_options)))
    failed = run_all(plans, args.jobs, launcher)
    done = [run for run in runs if run.state == 'done']
    if done:
        table = summary_table(done, args.target)
        (args.work_dir / 'table.md').write_text(table + '\n')
        curves_csv(done, args.work_dir / 'curves.csv')
        plot_accuracy(done, args.work_dir / 'accuracy.png')
        print(f'\n{table}\n\nAccuracy by epoch: {(args.work_dir / "accuracy.png").absolute()}')
    if failed:
        sys.exit(
            f'{len(failed)} of {len(runs)} runs failed: ' + ', '.join(f'{run.name} seed {run.seed}' for run in failed)
        )


if __name__ == '__main__':
    main()
