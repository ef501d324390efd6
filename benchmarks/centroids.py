"""Building centroids for 1,000 classes in 2,048 dimensions, against one QR decomposition of a 2,048 x 2,048 matrix.

python benchmarks/centroids.py
"""

import torch
from timing import compare

from mmpod.functional import pedcc

NUM_CLASSES, DIM = 1000, 2048


def main() -> None:
    """Print times, their ratio and the largest error of the pairwise inner products."""
    square = torch.randn(DIM, DIM, dtype=torch.float64)
    ours, qr, ratio = compare(lambda: pedcc(NUM_CLASSES, DIM), lambda: torch.linalg.qr(square), rounds=5)
    centroids = pedcc(NUM_CLASSES, DIM)
    gram = torch.full((NUM_CLASSES, NUM_CLASSES), -1 / (NUM_CLASSES - 1), dtype=torch.float64).fill_diagonal_(1)
    error = (centroids @ centroids.T - gram).abs().max()
    print(f'torch {torch.__version__}, {torch.get_num_threads()} threads, float64')
    print(f'pedcc({NUM_CLASSES}, {DIM}): {ours:.2f} s, error {error:.1e}')
    print(f'torch.linalg.qr of ({DIM}, {DIM}): {qr:.2f} s; pedcc takes {1 / ratio:.2f} times as long')


if __name__ == '__main__':
    main()
