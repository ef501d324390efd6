"""What head and loss cost in a training step of ResNet-50 with the CIFAR stem: POD against softmax.

python benchmarks/head_share.py
"""

import statistics
import time

import torch
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

NUM_CLASSES, BATCH, ROUNDS = 100, 16, 7
HEADS = {
    'softmax': dict(type='LinearClsHead', num_classes=NUM_CLASSES, in_channels=2048),
    'POD': dict(type='mmpod.PEDCCHead', num_classes=NUM_CLASSES, in_channels=2048, feat_dim=512),
}


def seconds(function) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    """Print the share of head and loss (forward and backward) in a step and the ratio of the whole steps."""
    import mmpod

    init_default_scope('mmpretrain')
    torch.manual_seed(0)
    images = torch.randn(BATCH, 3, 32, 32)
    samples = [DataSample().set_gt_label(label % NUM_CLASSES) for label in range(BATCH)]
    steps, heads = {}, {}
    for name, head in HEADS.items():
        model = MODELS.build(
            dict(
                type='ImageClassifier',
                backbone=dict(type='ResNet_CIFAR', depth=50, out_indices=(3,)),
                neck=dict(type='GlobalAveragePooling'),
                head=head,
            )
        )
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
        pooled = torch.randn(BATCH, 2048, requires_grad=True)

        def step(model=model, optimizer=optimizer):
            optimizer.zero_grad()
            sum(model.loss(images, samples).values()).backward()
            optimizer.step()

        def head_alone(model=model, pooled=pooled):
            sum(model.head.loss((pooled,), samples).values()).backward()

        steps[name], heads[name] = step, head_alone
    times = {name: ([], []) for name in HEADS}
    for index in range(ROUNDS + 1):
        for name in HEADS:
            measured = seconds(steps[name]), seconds(heads[name])
            if index:  # the first round warms up
                for record, value in zip(times[name], measured):
                    record.append(value)
    threads = torch.get_num_threads()
    print(f'mmpod {mmpod.__version__}, torch {torch.__version__}, {threads} threads, batch {BATCH} at 32 x 32, K = 100')
    for name, (step, head) in times.items():
        share = statistics.median(part / whole for whole, part in zip(step, head))
        print(f'{name}: step {statistics.median(step):.2f} s, of which head and loss {100 * share:.2f} %')
    ratios = [pod / softmax for pod, softmax in zip(times['POD'][0], times['softmax'][0])]
    print(f'step POD / softmax: {statistics.median(ratios):.3f} (from {min(ratios):.3f} to {max(ratios):.3f})')


if __name__ == '__main__':
    main()
