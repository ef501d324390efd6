"""Time to build centroids, compared with a QR decomposition, and for more classes the largest cosine and its bound.

python benchmarks/centroids.py [--descent]
"""

import argparse
import statistics
import time

import numpy as np
import torch
from timing import in_turns, ratio
from torch import Tensor

from mmpod.functional import (
    kerdock_dim,
    max_cosine,
    max_cosine_lower_bound,
    pedcc,
    spread_centroids,
    spread_method,
)
from mmpod.functional.centroids_spread import _descend

NUM_CLASSES, DIM = 1000, 2048
SPREAD = [(200, 64), (1000, 64), (4224, 64), (66048, 256), (1_000_000, 1024)]
SAMPLE = 5000  # rows to sample; all of their pairs are compared


def main() -> None:
    """Print times, the largest error of the simplex and the largest cosines of the spread centroids."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--descent', action='store_true', help='also descend for (1000, 64), half a minute')
    args = parser.parse_args()
    print(f'torch {torch.__version__}, numpy {np.__version__}, {torch.get_num_threads()} threads')

    square = torch.randn(DIM, DIM, dtype=torch.float64)
    functions = {'pedcc': lambda: pedcc(NUM_CLASSES, DIM), 'qr': lambda: torch.linalg.qr(square)}
    times = in_turns(functions, rounds=5)
    ours, qr = (statistics.median(seconds) for seconds in times.values())
    centroids = pedcc(NUM_CLASSES, DIM)
    gram = torch.full((NUM_CLASSES, NUM_CLASSES), -1 / (NUM_CLASSES - 1), dtype=torch.float64).fill_diagonal_(1)
    error = (centroids @ centroids.T - gram).abs().max()
    print(f'pedcc({NUM_CLASSES}, {DIM}): {ours:.2f} s, error {error:.1e}')
    print(
        f'torch.linalg.qr of ({DIM}, {DIM}): {qr:.2f} s; pedcc takes {ratio(times["pedcc"], times["qr"])} times as long'
    )

    print(
        'spread_centroids in float32: method; largest cosine of all pairs, or of 5,000 rows (*); expected; lower bound'
    )
    print('of any arrangement; wall-clock seconds; CPU seconds')
    for num_classes, dim in SPREAD:
        start = time.perf_counter(), time.process_time()
        rows = spread_centroids(num_classes, dim, dtype=torch.float32)
        report(spread_method(num_classes, dim), rows, start)
        del rows
    if args.descent:
        start = time.perf_counter(), time.process_time()
        report('descent', _descend(1000, 64, 0, 1500, None), start)


def report(method: str, rows: Tensor, start: tuple[float, float]) -> None:
    """Print a line of the table; ``start`` has wall-clock and CPU seconds."""
    wall, processor = time.perf_counter() - start[0], time.process_time() - start[1]
    num_classes, dim = rows.shape
    sampled = num_classes > SAMPLE
    if sampled:
        rows = rows[torch.from_numpy(np.random.RandomState(0).choice(num_classes, SAMPLE, replace=False))]
    expected = f'{kerdock_dim(num_classes, dim) ** -0.5:.5f}' if method.startswith('kerdock') else '-'
    largest = f'{max_cosine(rows.double()):.5f}{"*" if sampled else " "}'
    bound = max_cosine_lower_bound(num_classes, dim)
    print(f'({num_classes:>7}, {dim:>4}) {method}: {largest} {expected:>7} {bound:.5f} {wall:8.2f} {processor:8.2f}')


if __name__ == '__main__':
    main()
