"""Time of a training step of ResNet-50: POD Loss compared with softmax, and the gain of each option.

python benchmarks/training_step.py
python benchmarks/training_step.py --size 224 --classes 1000 --options channels_last amp compile      # on a GPU

The steps to compare alternate, so that they see the same machine load; ratios are of neighbouring measurements, with
quartiles.
"""

import argparse
import contextlib
from collections.abc import Callable

import torch
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from timing import describe, in_turns, ratio

FEAT_DIM = {100: 512, 1000: 2048}  # Table II
BATCH = {('cpu', 32): 8, ('cpu', 224): 2, ('cuda', 32): 128, ('cuda', 224): 96}
OPTIONS = ('channels_last', 'amp', 'compile')


def heads(num_classes: int) -> dict[str, dict]:
    """Return the configs of the heads to compare."""
    return {
        'softmax': dict(type='LinearClsHead', num_classes=num_classes, in_channels=2048),
        'POD': dict(type='mmpod.PEDCCHead', num_classes=num_classes, in_channels=2048, feat_dim=FEAT_DIM[num_classes]),
    }


def training_step(
    head: dict, size: int, batch: int, device: str, option: str = ''
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return a step of the whole network and the forward and backward pass of head and loss alone."""
    stem = 'ResNet_CIFAR' if size == 32 else 'ResNet'
    model = MODELS.build(
        dict(
            type='ImageClassifier',
            backbone=dict(type=stem, depth=50, out_indices=(3,)),
            neck=dict(type='GlobalAveragePooling'),
            head=head,
        )
    ).to(device)
    model.train()
    if option == 'channels_last':
        model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    scaler = torch.amp.GradScaler(device, enabled=option == 'amp' and device == 'cuda')
    images = torch.randn(batch, 3, size, size, device=device)
    samples = [DataSample().set_gt_label(label % head['num_classes']).to(device) for label in range(batch)]
    loss = torch.compile(model.loss) if option == 'compile' else model.loss
    half = torch.float16 if device == 'cuda' else torch.bfloat16  # AmpOptimWrapper's, mmpod.BFloat16OptimWrapper's
    precision = torch.autocast(device, half) if option == 'amp' else contextlib.nullcontext()

    def whole():
        optimizer.zero_grad()
        with precision:
            objective = sum(loss(images, samples).values())
        scaler.scale(objective).backward()
        scaler.step(optimizer)
        scaler.update()

    pooled = torch.randn(batch, 2048, device=device, requires_grad=True)
    return whole, lambda: sum(model.head.loss((pooled,), samples).values()).backward()


def main() -> None:
    """Print a line for each comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--size', type=int, nargs='+', default=[32, 224], choices=[32, 224], help='image sizes; 32 uses the CIFAR stem'
    )
    parser.add_argument('--classes', type=int, nargs='+', default=[100, 1000], choices=[100, 1000])
    parser.add_argument(
        '--options', nargs='*', default=[], choices=OPTIONS, help='options to compare with a plain POD step'
    )
    parser.add_argument('--batch', type=int, default=None)
    parser.add_argument('--rounds', type=int, default=11)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    args = parser.parse_args()
    if args.rounds < 2:
        parser.error(f'Expected --rounds to be at least 2, for quartiles, but got {args.rounds}.')
    init_default_scope('mmpretrain')
    torch.manual_seed(0)
    print(f'{describe(args.device)}, {args.rounds} rounds')
    print('| pixels | K | batch | what | ratio, median (quartiles) |\n|---|---|---|---|---|')
    for size in args.size:
        batch = args.batch or BATCH[args.device, size]
        for num_classes in args.classes:
            row = f'| {size} | {num_classes} | {batch} |'
            configs = heads(num_classes)
            if args.options:
                steps = {
                    option: training_step(configs['POD'], size, batch, args.device, option)[0]
                    for option in ('plain', *args.options)
                }
                times = in_turns(steps, args.rounds, args.device)
                for option in args.options:
                    print(f'{row} POD, {option} / plain | {ratio(times[option], times["plain"])} |', flush=True)
                continue
            functions = {}
            for name, head in configs.items():
                functions[name], functions[f'head of {name}'] = training_step(head, size, batch, args.device)
            times = in_turns(functions, args.rounds, args.device)
            print(f'{row} step, POD / softmax | {ratio(times["POD"], times["softmax"])} |')
            for name in configs:
                share = ratio(times[f'head of {name}'], times[name])
                print(f'{row} head and loss of {name} / its step | {share} |', flush=True)


if __name__ == '__main__':
    main()
