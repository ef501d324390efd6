"""Compare mmpretrain's pipeline with images in memory and augmentation in batches, for 32 x 32 images.

python benchmarks/input_path.py

It runs in one process without workers on the CPU, and also prints the share of a training step for two networks.
"""

import statistics
import time

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.registry import init_default_scope
from mmpretrain.registry import DATASETS, MODELS
from timing import describe, in_turns, ratio
from training_step import heads, training_step

BATCH, NUM_CLASSES = 64, 10
NORMALISE = dict(num_classes=NUM_CLASSES, mean=[125.3, 123.0, 113.9], std=[51.6, 50.8, 51.3], to_rgb=False)
PIPELINE = [
    dict(type='RandomCrop', crop_size=32, padding=4),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]


@DATASETS.register_module()
class NoiseImages(BaseDataset):
    """A batch of decoded images, stored as mmpretrain's CIFAR datasets store them."""

    def load_data_list(self) -> list[dict]:
        """Return one dict per sample."""
        images = np.random.RandomState(0).randint(0, 256, (BATCH, 32, 32, 3), np.uint8)
        return [dict(img=image, gt_label=index % NUM_CLASSES) for index, image in enumerate(images)]


def main() -> None:
    """Print milliseconds, their ratio, and the shares."""
    import mmpod  # noqa: F401  (registers)

    init_default_scope('mmpretrain')
    pipeline = DATASETS.build(dict(type='NoiseImages', pipeline=PIPELINE))
    memory = DATASETS.build(dict(type='mmpod.InMemoryImages', dataset=dict(type='NoiseImages', pipeline=[])))
    plain = MODELS.build(dict(type='ClsDataPreprocessor', **NORMALISE))
    batched = MODELS.build(dict(type='mmpod.CropFlipPreprocessor', padding=4, **NORMALISE))

    def host():
        return plain(pseudo_collate([pipeline[index] for index in range(BATCH)]), training=True)

    def ours():
        return batched(pseudo_collate(memory.__getitems__(range(BATCH))), training=True)

    times = in_turns({'mmpretrain': host, 'in memory': ours}, rounds=31, calls=3)
    waits = ', '.join(f'{name} {1e3 * statistics.median(seconds):.1f} ms' for name, seconds in times.items())
    print(f'{describe("cpu")}, batch {BATCH}\n{waits}, {ratio(*times.values())} times faster')
    small = MODELS.build(Config.fromfile('configs/small/pod_cifar10_10k.py').model)
    optimizer = torch.optim.SGD(small.parameters(), lr=0.01, momentum=0.9)

    def small_step(batch):
        optimizer.zero_grad()
        sum(small(**batch, mode='loss').values()).backward()
        optimizer.step()

    large_step, _ = training_step(heads(100)['POD'], 32, BATCH, 'cpu')
    for name, step, rounds in (('ResNet-18, 8 channels', small_step, 15), ('ResNet-50', lambda _: large_step(), 2)):
        shares = {host: [], ours: []}
        for _ in range(rounds):
            for load, record in shares.items():
                start = time.perf_counter()
                batch = load()
                loaded = time.perf_counter()
                step(batch)
                record.append((loaded - start) / (time.perf_counter() - start))
        waits = ' against '.join(f'{100 * statistics.median(shares[load]):.2f} %' for load in (host, ours))
        print(f'{name}, a step on the CPU: share of the input {waits}')


if __name__ == '__main__':
    main()
