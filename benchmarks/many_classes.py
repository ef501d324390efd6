"""Cost of head, loss and SGD step by the number of classes, for POD Loss and a linear softmax layer.

python benchmarks/many_classes.py
python benchmarks/many_classes.py --device cuda --classes 10 100 1000 10000 100000 1000000 --out classes_cuda

A step starts from pooled features (128, 512) with D = 512, integer labels and SGD with momentum. Results go to OUT.csv
and OUT.png. On the CPU, memory is that of weights, gradients, momentum and centroids; on a GPU, it is the peak of the
allocator. A softmax layer that does not fit into memory (--memory on the CPU) is left out. The centroids are random
unit vectors, because the cost of a step does not depend on their positions.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Optional

import pandas as pd
import torch
from timing import describe, in_turns
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from mmpod.models import PODLoss
from mmpod.visualization.style import COLOURS, MARKERS, new_axes, write_png

BATCH, DIM = 128, 512
WAYS = ['POD', 'softmax']


def training_step(way: str, num_classes: int, device: str) -> tuple[Callable[[], None], int]:
    """Return a step from pooled features, and the bytes of weights, gradients, momentum and centroids."""
    pod = way == 'POD'  # a projection, frozen centroids and POD Loss, as PEDCCHead has them
    fc, loss = nn.Linear(DIM, DIM if pod else num_classes, device=device), PODLoss()
    centroids = normalize(torch.randn(num_classes if pod else 0, DIM, device=device))
    optimizer = torch.optim.SGD(fc.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    pooled = torch.randn(BATCH, DIM, device=device, requires_grad=True)
    labels = torch.randint(num_classes, (BATCH,), device=device)

    def step():
        optimizer.zero_grad()
        objective = sum(loss(fc(pooled), labels, centroids).values()) if pod else cross_entropy(fc(pooled), labels)
        objective.backward()
        optimizer.step()

    return step, sum(3 * p.nbytes for p in fc.parameters()) + centroids.nbytes


def measure(way: str, num_classes: int, args: argparse.Namespace) -> Optional[dict]:
    """Return one row of the table, or None if it does not fit into memory."""
    bytes_needed = 4 * num_classes * ((DIM if way == 'POD' else 3 * DIM) + (0 if way == 'POD' else 3 * BATCH))
    if args.device == 'cpu' and bytes_needed > args.memory * 2**30:
        return None
    try:
        if args.device == 'cuda':
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        step, held = training_step(way, num_classes, args.device)
        slow = args.device == 'cpu' and way == 'softmax' and num_classes > 20_000
        rounds = 3 if slow else args.rounds
        seconds = sorted(in_turns({way: step}, rounds, args.device)[way])
        size = torch.cuda.max_memory_allocated() if args.device == 'cuda' else held
    except torch.cuda.OutOfMemoryError:
        return None
    return dict(
        classes=num_classes,
        way=way,
        milliseconds=round(1e3 * seconds[len(seconds) // 2], 3),
        mebibytes=round(size / 2**20, 1),
        rounds=rounds,
    )


def draw(rows: pd.DataFrame, path: Path, title: str) -> None:
    """Draw time and memory by the number of classes."""
    figure, axes = new_axes(9, 3.8, 1, 2)
    panels = dict(milliseconds=('Time of head, loss and SGD step', 'ms'), mebibytes=('Memory', 'MiB'))
    for axis, (column, (name, unit)) in zip(axes, panels.items()):
        for way, label, colour, marker in zip(WAYS, ('POD Loss', 'Softmax'), COLOURS, MARKERS):
            part = rows[rows.way == way]
            axis.loglog(part.classes, part[column], color=colour, marker=marker, label=label)
        axis.set_title(name, fontsize='medium')
        axis.set(xlabel='number of classes K (log scale)', ylabel=f'{unit} (log scale)')
    axes[0].legend()
    figure.suptitle(title, fontsize='small')
    write_png(figure, path)


def main() -> None:
    """Measure, print, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--classes', type=int, nargs='+', default=[10**power for power in range(1, 7)])
    parser.add_argument('--memory', type=float, default=4, metavar='GiB', help='memory that may be used on the CPU')
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--out', type=Path, default=Path('classes'), help='output path without suffix')
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows = []
    for num_classes in args.classes:
        for way in WAYS:
            row = measure(way, num_classes, args)
            print(row or f'{way} with {num_classes} classes does not fit', flush=True)
            rows += [row] if row else []
    table = pd.DataFrame(rows).assign(device=describe(args.device))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out.with_suffix('.csv'), index=False)
    draw(table, args.out.with_suffix('.png'), f'{describe(args.device)}, batch {BATCH}, D = {DIM}')


if __name__ == '__main__':
    main()
