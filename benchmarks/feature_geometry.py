"""The time that mmpod.FeatureGeometry adds to a validation epoch of ResNet-50 with a PEDCCHead.

python benchmarks/feature_geometry.py
python benchmarks/feature_geometry.py --samples 50000        # on a GPU

The metric is timed for every batch and at the end of the epoch; the time for predictions is extrapolated from the
median of some batches. Reading and decoding the images, which also takes time in a real epoch, is left out.
"""

import argparse
import statistics
import time

import torch
from mmengine.registry import init_default_scope
from mmpretrain.registry import METRICS, MODELS
from mmpretrain.structures import DataSample
from timing import describe

SETTINGS = [(32, 10, 256), (32, 100, 512), (224, 1000, 2048)]  # pixels, K, D: Table II


def main() -> None:
    """Print a line per setting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--samples', type=int, default=10000, help='size of the validation set (default: 10000)')
    parser.add_argument('--batch', type=int, default=None, help='default: 128 on a GPU, else 16')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    args = parser.parse_args()
    batch = args.batch or (128 if args.device == 'cuda' else 16)
    import mmpod  # noqa: F401  (registers)

    init_default_scope('mmpretrain')
    torch.manual_seed(0)
    print(f'{describe(args.device)}, batch {batch}, {args.rounds} rounds')
    print('| pixels | K | D | predict, s | measure, s | end of the epoch, s | epoch with / without |')
    print('|---|---|---|---|---|---|---|')
    wait = torch.cuda.synchronize if args.device == 'cuda' else lambda: None
    for size, num_classes, dim in SETTINGS:
        model = MODELS.build(
            dict(
                type='ImageClassifier',
                backbone=dict(type='ResNet_CIFAR' if size == 32 else 'ResNet', depth=50, out_indices=(3,)),
                neck=dict(type='GlobalAveragePooling'),
                head=dict(type='mmpod.PEDCCHead', num_classes=num_classes, in_channels=2048, feat_dim=dim),
            )
        )
        model = model.to(args.device).eval()
        metric = METRICS.build(dict(type='mmpod.FeatureGeometry'))
        metric.head = model.head
        images = torch.randn(batch, 3, size, size, device=args.device)
        rows, labels = torch.randn(batch, dim, device=args.device), torch.randint(num_classes, (batch, 1))

        times = []
        for _ in range(args.rounds + 1):
            start = time.perf_counter()
            with torch.no_grad():
                model.predict(images, [DataSample() for _ in images])
            wait()
            times.append(time.perf_counter() - start)
        batches = args.samples // batch
        predicting = batches * statistics.median(times[1:])
        start = time.perf_counter()
        for _ in range(batches):
            metric.batch = rows
            metric.process(None, [dict(gt_label=label) for label in labels])
        wait()
        measuring = time.perf_counter() - start
        metric.evaluate(metric.count)
        ending = time.perf_counter() - start - measuring
        share = 1 + (measuring + ending) / predicting
        print(
            f'| {size} | {num_classes} | {dim} | {predicting:.0f} | {measuring:.2f} | {ending:.2f} | {share:.4f} |',
            flush=True,
        )


if __name__ == '__main__':
    main()
