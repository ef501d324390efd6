"""What all tests share: the repository's root, deterministic seeds, one way to run a command as a user would."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import mmpod  # noqa: F401  (registers)

ROOT = Path(__file__).resolve().parents[1]
torch.set_num_threads(1)  # small tensors gain nothing from more, and threads that wait for a busy core take ages


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.fixture(scope='session')
def root():
    return ROOT


@pytest.fixture
def run_command(tmp_path):
    """Run a command in an empty folder and return the finished process; its output is shown when a test fails."""

    def run(*command, status=0, env=None, cwd=tmp_path, timeout=300):
        defaults = dict(PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1', PYTHONWARNINGS='ignore')
        environment = {**os.environ, **defaults, **(env or {})}
        environment['PATH'] = f'{Path(sys.executable).parent}:{environment["PATH"]}'
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, env=environment, cwd=cwd, timeout=timeout
        )
        print(done.stdout, done.stderr)
        assert done.returncode == status, f'{command} ended with {done.returncode}: {done.stderr[-2000:]}'
        return done

    return run


@pytest.fixture
def image_folder(tmp_path):
    """Write a CIFAR-10 as a folder of random PNGs and return its path: `per_class` images a class and split."""

    def write(classes, per_class=2, root=tmp_path / 'images', splits=('train', 'test'), size=32):
        import cv2
        import numpy as np

        random = np.random.RandomState(0)
        for split in splits:
            for name in classes:
                folder = root / split / name
                folder.mkdir(parents=True)
                for index in range(per_class):
                    cv2.imwrite(str(folder / f'{index:04d}.png'), random.randint(0, 256, (size, size, 3), np.uint8))
        return root

    return write
