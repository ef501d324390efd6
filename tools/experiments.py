"""The paper's tables and figures: what there is, running it, reporting it.

    python tools/experiments.py list                       # every row with its config, dataset, seeds and state
    python tools/experiments.py run I fig6 'cosine_*'      # tables, figures, configs; all without a word
    python tools/experiments.py report                     # paper against measurement, tables and figures
    python tools/experiments.py run --rehearse             # every config at toy scale, before a GPU is paid for
    python tools/experiments.py refresh README.md docs/results.md     # their tables anew, from the committed logs

Runs go to WORK_DIR/<config>/seed<n>/. Cut off, `run` goes on where it stopped; finished runs are not repeated.
"""

import argparse
import functools
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Optional

from mmpod.experiments.arguments import check_seeds
from mmpod.experiments.catalogue import CHECKPOINT_OF
from mmpod.experiments.cost import remaining
from mmpod.experiments.documents import refresh
from mmpod.experiments.launch import Launcher, Plan, plan_run
from mmpod.experiments.listing import index, listing
from mmpod.experiments.metafile import metafile
from mmpod.experiments.queue import run_all
from mmpod.experiments.rehearsal import rehearse, require_rehearsals, write_datasets
from mmpod.experiments.report import write_report
from mmpod.experiments.run import Run
from mmpod.experiments.selection import select
from mmpod.experiments.settings import check_effect
from mmpod.utils.errors import errors_as_exit

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'


def parse_args() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)
    for name in ('list', 'run', 'report'):
        command = commands.add_parser(name)
        command.add_argument('select', nargs='*', help='tables, figures, configs, patterns (default: all)')
        command.add_argument('--seeds', nargs='+', type=int, default=None, help='default: 0 1 2')
        command.add_argument('--work-dir', type=Path, default=None, help='default: work_dirs/experiments')
        if name == 'list':
            command.add_argument('--markdown', action='store_true', help='what there is, without the state, as in docs')
            command.add_argument(
                '--tflops', type=float, help='what is left to do in hours of a GPU that sustains so many TFLOP/s'
            )
            command.add_argument('--metafile', action='store_true', help='the index of all configs, as in configs/')
        if name == 'report':
            command.add_argument('--out', type=Path, default=None, help='folder to write to (default: WORK_DIR/report)')
        if name == 'run':
            command.add_argument(
                '--jobs', type=int, default=None, help='runs at a time (default: 1; rehearsed: all cores)'
            )
            command.add_argument('--processes', type=int, default=1, help='processes (GPUs) of each run (default: 1)')
            command.add_argument('--partition', default=None, help='start the runs on this partition of Slurm')
            command.add_argument('--rehearse', action='store_true', help='toy scale: one step on generated images')
            command.add_argument('--cfg-options', nargs='+', default=[], help='overrides, noted with every number')
    refreshed = commands.add_parser('refresh')
    refreshed.add_argument(
        'documents',
        nargs='+',
        type=Path,
        help='Markdown files with `<!-- table NAME [after epochs 3 9] from FOLDER -->` or `<!-- table FILE.md -->`',
    )
    args = parser.parse_args()
    if args.command == 'refresh':
        return args
    rehearsal = args.command == 'run' and args.rehearse
    if rehearsal and (args.seeds or args.cfg_options or args.partition or args.processes > 1):
        parser.error('Expected --rehearse without --seeds, --cfg-options, --partition and --processes.')
    args.seeds = args.seeds or ([0] if rehearsal else [0, 1, 2])
    check_seeds(parser, args.seeds)
    if args.command == 'run':
        args.jobs = args.jobs or ((os.cpu_count() or 1) if rehearsal else 1)
    args.work_dir = args.work_dir or Path('work_dirs') / ('rehearsal' if rehearsal else 'experiments')
    try:
        args.selection = select(args.select)
    except ValueError as error:
        parser.error(str(error))
    if args.command == 'list' and args.tflops is not None and args.tflops <= 0:
        parser.error(f'Expected --tflops to be above 0, but got {args.tflops}.')
    if args.command == 'run' and min(args.jobs, args.processes) < 1:
        parser.error('Expected --jobs and --processes to be at least 1.')
    return args


def config_path(name: str) -> Path:
    """Return the leaf of a config's name."""
    return CONFIGS / f'{name}.py'


def run_of(args: argparse.Namespace, config: str, seed: int) -> Run:
    """Return where a run is."""
    return Run(config, seed, args.work_dir / config / f'seed{seed}')


def plan_of(args: argparse.Namespace, launcher: Launcher, config: str, seed: int) -> Optional[Plan]:
    """Return how to make a run; None where it is done."""
    trained = CHECKPOINT_OF.get(config)
    source = (config_path(trained), run_of(args, trained, seed)) if trained else None
    return plan_run(config_path(config), run_of(args, config, seed), launcher, args.cfg_options, source)


def run(args: argparse.Namespace) -> None:
    """Make the runs that are not done."""
    launcher = Launcher(args.processes, args.partition)
    check_effect([config_path(config) for config in args.selection.configs], args.cfg_options)
    plans = []
    for seed in args.seeds:  # a first seed of everything before a second of anything
        for config in args.selection.configs:
            plan = plan_of(args, launcher, config, seed)
            plans += [plan] if plan else []
    finish(run_all(plans, args.jobs, launcher), len(plans))


def run_rehearsal(args: argparse.Namespace) -> None:
    """Take every config through training, testing and the report on generated images."""
    runs = [run_of(args, config, 0) for config in args.selection.configs]
    require_rehearsals(runs)
    variables = write_datasets(args.work_dir / 'data')
    failed, count = [], len(args.selection.configs)
    with ProcessPoolExecutor(args.jobs, multiprocessing.get_context('spawn')) as pool:
        for evaluations in (False, True):
            started = {}
            for config in args.selection.configs:
                if (config in CHECKPOINT_OF) != evaluations:
                    continue
                source = CHECKPOINT_OF.get(config)
                checkpoint = run_of(args, source, 0).work_dir / 'epoch_1.pth' if source else None
                keep = config in CHECKPOINT_OF.values()
                where = run_of(args, config, 0)
                started[config] = pool.submit(rehearse, config_path(config), where, variables, checkpoint, keep)
            for config, future in started.items():
                error = future.result()
                # On a line of its own, whatever progress bar a worker has left.
                print(f'\n{config}: {"failed" if error else "works"}', flush=True)
                if error:
                    print(error, file=sys.stderr)
                    failed.append(run_of(args, config, 0))
    for where in runs:
        for path in where.work_dir.glob('*.pth'):
            path.unlink()
    report(args)
    finish(failed, count)


def finish(failed: list[Run], count: int) -> None:
    """End with a message and a status that name what failed."""
    if failed:
        names = '\n'.join(f'  {run.name} seed {run.seed}: {run.record.get("failed", "")}' for run in failed)
        sys.exit(f'{len(failed)} of {count} runs failed:\n{names}')


def report(args: argparse.Namespace, out: Optional[Path] = None) -> None:
    """Write the tables and figures and print the tables."""
    out = out or args.work_dir / 'report'
    text, written = write_report(out, args.selection, functools.partial(run_of, args), args.seeds, CONFIGS)
    print(text)
    print('Written: ' + ', '.join(map(str, written)))


def main() -> None:
    """Do what was asked for."""
    args = parse_args()
    if args.command == 'refresh':
        for document in args.documents:
            print(f'{document}: {"rewritten" if refresh(document) else "up to date"}')
    elif args.command == 'list' and args.metafile:
        print(metafile(CONFIGS, CONFIGS.parent / 'results'), end='')
    elif args.command == 'list':
        where = functools.partial(run_of, args)
        if args.tflops:
            print(remaining(args.selection, where, args.seeds, CONFIGS, args.tflops))
        else:
            print(index(args.selection) if args.markdown else listing(args.selection, where, args.seeds))
    elif args.command == 'report':
        report(args, args.out)
    elif args.rehearse:
        run_rehearsal(args)
    else:
        run(args)


if __name__ == '__main__':
    with errors_as_exit():
        main()
