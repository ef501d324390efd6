"""Trainings that several files share, each made once per process of pytest."""

import sys

import pytest
from helpers import EMA, POD, ROOT, WORKERS, run_command

TRAIN = [sys.executable, ROOT / 'tools/train.py', POD, '--work-dir']
OPTIONS = ['train_cfg.max_epochs=2', 'randomness.seed=0', 'default_hooks.features.geometry=True', *WORKERS]


@pytest.fixture(scope='session')
def trained(tmp_path_factory):
    """Return the work directory of two epochs on the digits."""
    work_dir = tmp_path_factory.mktemp('trained')
    run_command(*TRAIN, work_dir, '--cfg-options', *OPTIONS)
    return work_dir


@pytest.fixture(scope='session')
def trained_ema(tmp_path_factory):
    """Return the work directory of two epochs with averaged weights."""
    work_dir = tmp_path_factory.mktemp('trained_ema')
    run_command(*TRAIN, work_dir, '--cfg-options', *OPTIONS, *EMA)
    return work_dir
