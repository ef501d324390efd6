"""Train several configs with several seeds and compare them: a table, a CSV of the curves and a figure.

    python tools/compare.py configs/pod_resnet18w8_digits.py configs/softmax_resnet18w8_digits.py --seeds 0 1 2

Each run is a `tools/train.py` of its own in WORK_DIR/<config>/seed<n>/. Cut off, the same command goes on where it
stopped; finished runs are not repeated.
"""

import argparse
import csv
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Optional

import mmengine
import mmpretrain
import torch
from mmengine.config import Config, DictAction

import mmpod
from mmpod.apis import Run, plot_accuracy, summary_table

TOOLS = Path(__file__).resolve().parent
TAIL_LINES = 25


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


def parse_overrides(options: list[str]) -> dict:
    """Return ``--cfg-options`` as the runs will read them."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='*', action=DictAction, default={})
    return parser.parse_args(['--cfg-options', *options]).cfg_options


def command_of(run: Run, config: Path, processes: int, port: int, options: list[str]) -> list[str]:
    """Return the command that trains ``run``, or goes on with it."""
    start = [sys.executable]
    if processes > 1:
        start += ['-m', 'torch.distributed.run', f'--nproc_per_node={processes}', f'--master_port={port}']
    arguments = [str(config), '--work-dir', str(run.work_dir), '--resume']
    arguments += ['--launcher', 'pytorch'] if processes > 1 else []
    return start + [str(TOOLS / 'train.py')] + arguments + ['--cfg-options', f'randomness.seed={run.seed}'] + options


def versions() -> dict[str, Optional[str]]:
    """Return what a reader needs to repeat a run: package versions, git revision, hardware."""
    revision = subprocess.run(
        ['git', '-C', str(TOOLS), 'describe', '--always', '--dirty'], capture_output=True, text=True
    )
    return dict(
        mmpod=mmpod.__version__,
        git=revision.stdout.strip() or None,
        mmpretrain=mmpretrain.__version__,
        mmengine=mmengine.__version__,
        torch=torch.__version__,
        python=platform.python_version(),
        device=torch.cuda.get_device_name() if torch.cuda.is_available() else f'CPU, {os.cpu_count()} cores',
    )


class Job:
    """A running training: its process, its log and what of its progress has been shown."""

    def __init__(self, run: Run, command: list[str], threads: int, num_epochs: int):
        self.run, self.num_epochs = run, num_epochs
        self.record = dict(
            run.record,
            name=run.name,
            seed=run.seed,
            command=shlex.join(command),
            versions=versions(),
            threads=threads,
            finished=False,
        )
        self.earlier_s = self.record.get('wall_s', 0.0)
        self.started = time.monotonic()
        run.work_dir.mkdir(parents=True, exist_ok=True)
        self.shown = len(run.accuracies())
        self.at_start = self.shown
        self.log = (run.work_dir / 'train.log').open('a')
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=subprocess.STDOUT, env=dict(os.environ, OMP_NUM_THREADS=str(threads))
        )
        self.save()

    def save(self, **changes) -> None:
        """Write `run.json`, whole or not at all."""
        self.record.update(wall_s=round(self.earlier_s + time.monotonic() - self.started, 1), **changes)
        temporary = self.run.work_dir / 'run.json.new'
        temporary.write_text(json.dumps(self.record, indent=2) + '\n')
        temporary.replace(self.run.work_dir / 'run.json')

    def poll(self) -> Optional[int]:
        """Show new epochs, keep the record; return the exit status once the training has ended."""
        status = self.process.poll()
        curve = self.run.accuracies()
        for epoch in list(curve)[self.shown :]:
            elapsed = time.monotonic() - self.started
            left = elapsed / max(len(curve) - self.at_start, 1) * (self.num_epochs - len(curve))
            progress = f'epoch {epoch}/{self.num_epochs}, accuracy {curve[epoch]:.2f} %, about {left:.0f} s left'
            print(f'{self.run.name} seed {self.run.seed}: {progress}', flush=True)
            self.save()
        self.shown = len(curve)
        if status is not None:
            self.log.close()
            self.save(finished=status == 0)
        return status


def train_all(queue: list[Job], jobs: int) -> list[Run]:
    """Train what is not finished, ``jobs`` at a time; return the runs that failed."""
    running, failed = [], []
    try:
        while queue or running:
            while queue and len(running) < jobs:
                running.append(Job(*queue.pop(0)))
            time.sleep(0.5)
            for job in list(running):
                status = job.poll()
                if status is None:
                    continue
                running.remove(job)
                if status != 0:
                    failed.append(job.run)
                    log = job.run.work_dir / 'train.log'
                    tail = '\n'.join(log.read_text().splitlines()[-TAIL_LINES:])
                    print(f'{job.run.name} seed {job.run.seed} failed. The end of {log}:\n{tail}', file=sys.stderr)
    finally:
        for job in running:
            job.process.terminate()
    return failed


def main() -> None:
    """Run the comparison and write `table.md`, `curves.csv` and `accuracy.png` into the work directory."""
    args = parse_args()
    runs, queue = [], []
    overrides = parse_overrides(args.cfg_options)
    threads = max(1, (os.cpu_count() or 1) // (args.jobs * args.processes))
    for config in args.configs:
        cfg = Config.fromfile(config)
        cfg.merge_from_dict(overrides)
        num_epochs = cfg.train_cfg.max_epochs
        for seed in args.seeds:
            run = Run(config.stem, seed, args.work_dir / config.stem / f'seed{seed}')
            runs.append(run)
            if run.record.get('finished'):
                print(f'{run.name} seed {seed}: finished before, {run.work_dir}')
                continue
            command = command_of(run, config, args.processes, 29500 + len(queue), args.cfg_options)
            queue.append((run, command, threads, num_epochs))
    failed = train_all(queue, args.jobs)
    done = [run for run in runs if run.record.get('finished')]
    if done:
        table = summary_table(done, args.target)
        (args.work_dir / 'table.md').write_text(table + '\n')
        with (args.work_dir / 'curves.csv').open('w', newline='') as file:
            writer = csv.writer(file)
            writer.writerow(['run', 'seed', 'epoch', 'accuracy_percent'])
            writer.writerows(
                [run.name, run.seed, epoch, f'{accuracy:.4f}']
                for run in done
                for epoch, accuracy in run.accuracies().items()
            )
        plot_accuracy(done, args.work_dir / 'accuracy.png')
        print(f'\n{table}\n\nAccuracy by epoch: {(args.work_dir / "accuracy.png").absolute()}')
    if failed:
        sys.exit(
            f'{len(failed)} of {len(runs)} runs failed: ' + ', '.join(f'{run.name} seed {run.seed}' for run in failed)
        )


if __name__ == '__main__':
    main()
