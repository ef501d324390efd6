"""List, run, record and report the studies of losses and the paper's tables and figures.

    python tools/experiments.py list                            # all studies
    python tools/experiments.py list small                      # the settings of a study and their runs
    python tools/experiments.py run small I 'paper/pod_*'       # studies, tables, figures, settings; without names: all
    python tools/experiments.py pack work_dirs/experiments      # add finished runs to results/<study>.jsonl
    python tools/experiments.py report                          # write all tables and figures from results/

Runs go to WORK_DIR/<study>/<setting>/seed<n>/. After an interruption, repeat `run` to continue. Finished runs are not
repeated; if their config has changed, they are refused.
"""

import argparse
import itertools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from mmpod.experiments.arguments import check_arguments, queue_parser
from mmpod.experiments.launcher import Launcher
from mmpod.experiments.markdown import markdown_table
from mmpod.experiments.queue import run_all
from mmpod.experiments.records import Record, by_setting, collect, pack, read_results
from mmpod.experiments.report import heading, write_report
from mmpod.experiments.run_files import Run
from mmpod.experiments.run_plan import plan_run
from mmpod.experiments.studies.catalogue import STUDIES, setting_of
from mmpod.experiments.studies.definitions import Setting
from mmpod.experiments.studies.selection import matching, select
from mmpod.experiments.studies.tables import FIGURES, TABLES
from mmpod.utils.errors import errors_as_exit
from mmpod.utils.paths import CONFIGS

ROOT = CONFIGS.parent
WORK_DIR = Path('work_dirs/experiments')
COMMANDS = {
    'list': 'list all studies, or the settings of a selection with the states of their runs',
    'run': 'make the missing runs',
    'report': 'write the tables and figures of the recorded runs',
    'pack': 'add finished runs to the recorded ones',
}


def parse_args() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)
    for name, text in COMMANDS.items():
        parents = [queue_parser()] if name == 'run' else []
        command = commands.add_parser(name, help=text, description=text, parents=parents)
        if name == 'pack':
            command.add_argument('work_dir', type=Path, help='folder of runs')
        else:
            named = 'tables and figures' if name == 'report' else 'studies, tables, figures and settings'
            command.add_argument('select', nargs='*', help=f'names or patterns of {named} (default: all)')
        if name in ('list', 'run'):
            command.add_argument('--seeds', nargs='+', type=int, help='seeds (default: those of each study)')
            command.add_argument(
                '--work-dir', type=Path, default=WORK_DIR, help=f'folder of the runs (default: {WORK_DIR})'
            )
        if name != 'run':
            command.add_argument('--results', type=Path, default=ROOT / 'results', help='folder of recorded runs')
        if name == 'report':
            command.add_argument('--work-dir', type=Path, help='show the runs of this folder, not those of --results')
            command.add_argument('--out', type=Path, help='folder to write to (default: docs/generated)')
        if name == 'run':
            command.add_argument('--partition', default=None, help='start the runs on this partition of Slurm')
    args = parser.parse_args()
    check_arguments(parser, args)
    try:
        if args.command == 'report':
            shown = [matching(word, (*TABLES, *FIGURES), 'a table, a figure') for word in args.select or ['*']]
            args.shown = list(dict.fromkeys(itertools.chain(*shown)))
        elif args.command != 'pack':
            args.settings = select(args.select)
    except ValueError as error:
        parser.error(str(error))
    return args


def run_of(args: argparse.Namespace, setting: Setting, seed: int) -> Run:
    """Return the run of a setting with a seed, whether or not it has been started."""
    return Run(setting.key, seed, args.work_dir / setting.study / setting.name / f'seed{seed}')


def seeds_of(args: argparse.Namespace, setting: Setting) -> Sequence[int]:
    """Return the seeds of a setting."""
    return args.seeds or STUDIES[setting.study].seeds


def run(args: argparse.Namespace) -> None:
    """Make the missing runs, starting with the first seed of all settings."""
    launcher = Launcher(args.processes, args.partition)
    settings = [setting for setting in args.settings if setting.config]
    for setting in args.settings:
        if not setting.config:
            print(f'{setting.key}: its config was never shipped, so it cannot be run again')
    todo = [(rank, setting, seed) for setting in settings for rank, seed in enumerate(seeds_of(args, setting))]
    plans = []
    for _, setting, seed in sorted(todo, key=lambda item: item[0]):
        source = setting_of(setting.source) if setting.source else None
        trained = (source.path, run_of(args, source, seed)) if source else None
        overrides = [*setting.overrides, *args.cfg_options]
        plans.append(plan_run(setting.path, run_of(args, setting, seed), launcher, overrides, trained))
    plans = [plan for plan in plans if plan]
    failed = run_all(plans, args.jobs, launcher)
    if failed:
        names = '\n'.join(f'  {run.label}: {run.record.get("failed", "")}' for run in failed)
        sys.exit(f'{len(failed)} of {len(plans)} runs failed:\n{names}')


def describe(run: Run) -> str:
    """Return the seed of a run, its state, and its accuracy, error or progress."""
    state = run.state
    if state == 'done':
        state += ''.join(f' {value:.2f}' for name, value in run.metrics().items() if name.endswith('top1'))
    elif state == 'failed':
        state += f': {run.record["failed"]}'
    elif state != 'not run':
        state += f' at epoch {max(run.curve(), default=0)}'
    return f'{run.seed} {state}'


def list_all(records: Mapping[str, Sequence[Record]]) -> None:
    """Print every study, table and figure."""
    rows = []
    for study in STUDIES.values():
        count = sum(len(records.get(setting.key, ())) for setting in study.settings.values())
        seeds = ' '.join(map(str, study.seeds))
        rows.append((study.name, len(study.settings), seeds, count, study.title))
    columns = ['study', 'settings', 'seeds', 'runs in results', 'what']
    print(markdown_table(pd.DataFrame(rows, columns=columns).astype(str)))
    print('\nTables: ' + '; '.join(TABLES) + '\nFigures: ' + '; '.join(FIGURES))


def list_selection(args: argparse.Namespace, records: Mapping[str, Sequence[Record]]) -> None:
    """Print the settings of a selection with the states of their runs."""
    for setting in args.settings:
        states = [describe(run_of(args, setting, seed)) for seed in seeds_of(args, setting)]
        known = ' '.join(str(record.seed) for record in records.get(setting.key, ()))
        print(f'{setting.key}: {setting.config or "a config that was never shipped"} {" ".join(setting.overrides)}')
        print(f'  seeds {"; ".join(states)}' + (f'; in results: seeds {known}' if known else ''))


def report(args: argparse.Namespace) -> None:
    """Write the tables and figures, and print the tables of a selection."""
    records = by_setting(collect(args.work_dir)) if args.work_dir else read_results(args.results)
    if not records:
        raise FileNotFoundError(
            f'Expected finished runs in {args.work_dir or args.results}, but there are none. Make some with '
            '`tools/experiments.py run`.'
        )
    out = args.out or (args.work_dir / 'report' if args.work_dir else ROOT / 'docs' / 'generated')
    written = write_report(out, records, args.shown)
    if args.select:
        for path in written:
            if path.suffix == '.md':
                print(f'{heading(path.stem)}\n\n{path.read_text(encoding="utf-8")}')
    print(f'Written to {out}:', *(path.name for path in written))


def main() -> None:
    """Run the command."""
    args = parse_args()
    if args.command == 'run':
        run(args)
    elif args.command == 'report':
        report(args)
    elif args.command == 'pack':
        added, repeated = pack(args.work_dir, args.results)
        print(f'{len(added)} runs added to {args.results}, {len(repeated)} already there')
        if not added and not repeated:
            print(f'No finished run in {args.work_dir}/<study>/<setting>/seed<n>, where `run` leaves them.')
    elif args.select:
        list_selection(args, read_results(args.results))
    else:
        list_all(read_results(args.results))


if __name__ == '__main__':
    with errors_as_exit():
        main()
