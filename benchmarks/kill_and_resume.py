"""Kill a training run repeatedly, and check that it ends with the weights of an uninterrupted one.

python benchmarks/kill_and_resume.py --kills 20

A small run (scikit-learn's digits, two worker processes, random crops) is killed with SIGKILL, with all its processes,
at random moments between its start and some epochs later, and resumed by the same command. If it ends before it has
been killed often enough, another run is started. `--cfg-options default_hooks.epoch_seed=None` shows the behaviour of
MMEngine alone.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]


def start(work_dir: Path, epochs: int, options: list[str]) -> subprocess.Popen:
    """Start or resume the run in a new session; its output goes to `train.log`."""
    command = [sys.executable, ROOT / 'tools/train.py', ROOT / 'configs/small/pod_digits.py', '--resume']
    settings = [f'train_cfg.max_epochs={epochs}', 'train_dataloader.num_workers=2', 'randomness.seed=0', *options]
    environment = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1', PYTHONWARNINGS='ignore')
    with (work_dir / 'train.log').open('ab') as log:
        return subprocess.Popen(
            [str(word) for word in (*command, '--work-dir', work_dir, '--cfg-options', *settings)],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )


def finish(process: subprocess.Popen, work_dir: Path) -> None:
    """Wait for the end of a run that must not fail."""
    if process.wait() != 0:
        sys.exit(f'A run failed, see {work_dir / "train.log"}')


def weights(work_dir: Path, epochs: int) -> dict[str, torch.Tensor]:
    """Return the final weights."""
    return torch.load(work_dir / f'epoch_{epochs}.pth', weights_only=True)['state_dict']


def main() -> None:
    """Print a line per kill, then the largest difference of a weight."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--kills', type=int, default=20)
    parser.add_argument('--epochs', type=int, default=12)
    parser.add_argument('--seed', type=int, default=0, help='seed of the random moments')
    parser.add_argument('--cfg-options', nargs='+', default=[])
    args = parser.parse_args()
    root, moments = Path(tempfile.mkdtemp(prefix='faults_')), random.Random(args.seed)
    uninterrupted = root / 'uninterrupted'
    uninterrupted.mkdir()
    begun = time.monotonic()
    finish(start(uninterrupted, args.epochs, args.cfg_options), uninterrupted)
    times = [(uninterrupted / f'epoch_{epoch}.pth').stat().st_mtime for epoch in (args.epochs - 1, args.epochs)]
    epoch_s = times[1] - times[0]
    start_s = time.monotonic() - begun - args.epochs * epoch_s
    print(f'torch {torch.__version__}; uninterrupted: {start_s:.0f} s to start, {epoch_s:.1f} s per epoch, in {root}')
    kills, runs = 0, []
    while kills < args.kills:
        work_dir = root / f'killed{len(runs)}'
        work_dir.mkdir()
        runs.append(work_dir)
        while True:
            process = start(work_dir, args.epochs, args.cfg_options)
            delay = moments.uniform(0.5 * start_s, start_s + 3 * epoch_s)
            try:
                process.wait(delay if kills < args.kills else None)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                kills += 1
                print(f'kill {kills}: run {len(runs)}, {delay:.1f} s after its start', flush=True)
            else:
                break
        finish(process, work_dir)
    expected = weights(uninterrupted, args.epochs)
    for number, work_dir in enumerate(runs, 1):
        measured = weights(work_dir, args.epochs)
        worst = max(float((measured[name].double() - value.double()).abs().max()) for name, value in expected.items())
        print(f'run {number}: largest difference of a weight from the uninterrupted run {worst:g}')
        if worst != 0:
            sys.exit(f'The weights of run {number} are not those of the uninterrupted run; both are in {root}')


if __name__ == '__main__':
    main()
