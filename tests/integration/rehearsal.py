"""Every config at toy scale: datasets of noise in the layouts of the paper's, one step of training, and a test."""

import numpy as np
import torch
from mmengine.config import Config
from PIL import Image

from mmpod.datasets import CIFAR10AnyLayout, CIFAR100AnyLayout
from mmpod.engine.runner_session import runner_session

NUM_IMAGES = 4  # one batch


def write_datasets(root):
    """Write all datasets of the paper, an image or two per class; return the variables that point the configs there."""
    random = np.random.RandomState(0)

    def write(folder, names, height, width):
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
    names = ('cifar10', 'cifar100', 'facescrub', 'tinyimagenet', 'imagenet')
    return {f'{name.upper()}_ROOT': str(root / name) for name in names}


def one_step(config, work_dir, overrides=None, checkpoint=None):
    """Train a config, unshrunk but for its data, for one step, or fit what it fits to a checkpoint; return the test's
    metrics.
    """
    torch.set_num_threads(1)  # small batches gain nothing from more
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(overrides or {})
    cfg.work_dir, cfg.randomness, cfg.log_level = str(work_dir), dict(seed=0), 'WARNING'
    cfg.train_cfg.max_epochs = 1
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = cfg[name]
        loader.batch_size, loader.num_workers, loader.persistent_workers = NUM_IMAGES, 0, False
        loader.dataset.indices = NUM_IMAGES
        if 'samples_per_class' in loader.dataset:
            loader.dataset.samples_per_class = 2
    if checkpoint is not None:
        cfg.load_from = str(checkpoint)
        cfg.train_dataloader.dataset.indices = 3 * NUM_IMAGES  # an estimator needs two samples of some class
    with runner_session(cfg) as runner:
        if checkpoint is None:
            runner.train()
        return runner.test()
