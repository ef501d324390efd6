"""The whole paper at toy scale: every config, unshrunk but for data and epochs, on a few generated images."""

import os
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import mmengine
import numpy as np
import torch
from mmengine.config import Config
from PIL import Image

from mmpod.datasets import CIFAR10AnyLayout, CIFAR100AnyLayout
from mmpod.engine.runner_session import runner_session
from mmpod.experiments.queue import versions
from mmpod.experiments.run import Run

__all__ = ['rehearse', 'require_rehearsals', 'write_datasets']

NUM_IMAGES = 4  # one batch
NOTE = f'one step on {NUM_IMAGES} images of noise'


def write_datasets(root: Path) -> dict[str, str]:
    """Write all datasets of the paper in their layouts, of noise, an image or two a class.

    Returns:
        dict[str, str]: The environment variables that point the configs at them.
    """
    variables = {
        f'{name.upper()}_ROOT': str(root / name)
        for name in ('cifar10', 'cifar100', 'facescrub', 'tinyimagenet', 'imagenet')
    }
    if (root / 'complete').is_file():
        return variables
    random = np.random.RandomState(0)

    def write(folder: Path, names: list[str], height: int, width: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            pixels = random.randint(0, 256, (height, width, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name)

    for name, dataset in (('cifar10', CIFAR10AnyLayout), ('cifar100', CIFAR100AnyLayout)):
        for label in dataset.METAINFO['classes']:
            for split in ('train', 'test'):
                write(root / name / split / label, ['0.png', '1.png'], 32, 32)
    for person in range(100):
        for split in ('train', 'test'):
            write(root / 'facescrub' / split / f'person{person:03d}', ['0.jpg', '1.jpg'], 64, 64)
    tiny, wnids = root / 'tinyimagenet', [f'n{index:08d}' for index in range(1000)]
    for wnid in wnids[:200]:
        write(tiny / 'train' / wnid / 'images', [f'{wnid}_{index}.JPEG' for index in range(2)], 64, 64)
        write(tiny / 'val' / 'images', [f'val_{wnid}.JPEG'], 64, 64)
    (tiny / 'wnids.txt').write_text('\n'.join(wnids[:200]))
    (tiny / 'val' / 'val_annotations.txt').write_text(
        ''.join(f'val_{wnid}.JPEG\t{wnid}\t0\t0\t62\t62\n' for wnid in wnids[:200])
    )
    for wnid in wnids:
        for split in ('train', 'val'):
            write(root / 'imagenet' / split / wnid, [f'{split}_{wnid}.JPEG'], 40, 48)
    (root / 'complete').touch()
    return variables


def require_rehearsals(runs: Sequence[Run]) -> None:
    """Refuse to rehearse where real runs are, which would be overwritten.

    Raises:
        ValueError: One of the runs is none of a rehearsal.
    """
    for run in runs:
        if run.record.get('options') != [NOTE] if run.record else any(run.work_dir.glob('*.pth')):
            raise ValueError(
                f'Expected --work-dir of a rehearsal to hold nothing but rehearsals, but {run.work_dir} is a real run. '
                'Choose another --work-dir.'
            )


def shrink(cfg: Config, keep: bool) -> None:
    """Leave the model as it is; take few images, one step, no worker processes, and save at the end if at all."""
    cfg.train_cfg.max_epochs = 1
    cfg.default_hooks.checkpoint.interval = 1 if keep else -1
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = cfg[name]
        loader.batch_size, loader.num_workers = NUM_IMAGES, 0
        loader.dataset.indices = NUM_IMAGES
        if 'samples_per_class' in loader.dataset:
            loader.dataset.samples_per_class = 2


def rehearse(config: Path, run: Run, variables: dict[str, str], checkpoint: Optional[Path], keep: bool) -> str:
    """Train a config for a step, or evaluate a checkpoint with it, and test; record it as `tools/train.py` would.

    Made to be called in a process of its own, one call after another.

    Args:
        config: The leaf.
        run: Where to write.
        variables: Of :func:`write_datasets`.
        checkpoint: Evaluate this one instead of training.
        keep: Save a checkpoint, for an evaluation.

    Returns:
        str: Empty, or the traceback of what went wrong.
    """
    os.environ.update(variables)
    torch.set_num_threads(1)  # small batches gain nothing from more
    started = time.monotonic()
    record = dict(name=run.name, seed=run.seed, options=[NOTE], versions=versions(), finished=False, wall_s=0.0)
    run.save(record)
    error = ''
    try:
        cfg = Config.fromfile(config)
        cfg.work_dir, cfg.randomness, cfg.log_level = str(run.work_dir), dict(seed=run.seed), 'WARNING'
        shrink(cfg, keep)
        if checkpoint is not None:
            cfg.load_from = str(checkpoint)
            cfg.train_dataloader.dataset.indices = 3 * NUM_IMAGES  # an estimator needs two samples of some class
        with runner_session(cfg) as runner:
            if checkpoint is None:
                runner.train()
            metrics = runner.test()
        mmengine.dump(metrics, str(run.work_dir / 'metrics.json'))
    except Exception:
        error = traceback.format_exc()
    last = error.strip().splitlines()[-1:]
    run.save(
        dict(
            record,
            finished=not error,
            wall_s=round(time.monotonic() - started, 1),
            **({'failed': last[0]} if last else {}),
        )
    )
    return error
