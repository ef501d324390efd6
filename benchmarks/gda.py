"""Gaussian discriminant analysis against scikit-learn's QDA and LDA: time of fit and predict, equality, peak memory.

python benchmarks/gda.py [--samples 50000] [--classes 100] [--dim 512]

Unit-length features about PEDCC centroids, with a covariance of its own in each class; the noise is what separates easy
from hard: its energy is given relative to the centroid's. Fitted on one set, predicted on another of the same size. Run
it with OMP_NUM_THREADS=1 where other programs are busy.
"""

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import sklearn
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis

from mmpod.functional import normalize_rows, pedcc
from mmpod.posthoc import GaussianDiscriminantAnalysis
from mmpod.posthoc.bounded_densities import fast_precisions

SHRINKAGE = 0.1
MEBI = 2**20


def make_data(samples: int, classes: int, dim: int, noise: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return features (N, D), float64, and balanced labels (N,)."""
    settings = torch.Generator().manual_seed(0)
    generator = torch.Generator().manual_seed(seed)
    spectrum = torch.arange(1, dim + 1).double() ** -0.5
    labels = torch.arange(samples) % classes
    features = torch.empty(samples, dim, dtype=torch.float64)
    centroids = pedcc(classes, dim)
    shared = torch.linalg.qr(torch.randn(dim, dim, generator=settings, dtype=torch.float64))[0]
    for k in range(classes):
        axes = shared[torch.randperm(dim, generator=settings) % dim]
        scale = spectrum * (noise**0.5 / spectrum.norm())
        rows = torch.randn(int((labels == k).sum()), dim, generator=generator, dtype=torch.float64)
        features[labels == k] = centroids[k] + (rows * scale) @ axes
    return normalize_rows(features), labels


def timed(model, train, labels, test) -> tuple[float, float, np.ndarray]:
    """Return seconds to fit, seconds to predict and the predictions."""
    start = time.perf_counter()
    model.fit(train, labels)
    middle = time.perf_counter()
    predictions = model.predict(test)
    return middle - start, time.perf_counter() - middle, np.asarray(predictions)


def report_speed(args: argparse.Namespace) -> None:
    """Print a table, one row a peer and level of noise."""
    print('| peer | noise energy | accuracy | fit, s | predict, s | peer: fit, s | predict, s | ratio | equal |')
    print('|---|---|---|---|---|---|---|---|---|')
    for noise in args.noise:
        train, labels = make_data(args.samples, args.classes, args.dim, noise, seed=1)
        test, truth = make_data(args.samples, args.classes, args.dim, noise, seed=2)
        for covariance, peer in (
            ('class', QuadraticDiscriminantAnalysis(solver='eigen', shrinkage=SHRINKAGE, tol=0)),
            ('shared', LinearDiscriminantAnalysis(solver='lsqr', shrinkage=SHRINKAGE)),
        ):
            ours = GaussianDiscriminantAnalysis(covariance, SHRINKAGE, unbiased=False)
            fit, predict, decisions = timed(ours, train, labels, test)
            peer_fit, peer_predict, expected = timed(peer, train.numpy(), labels.numpy(), test.numpy())
            cells = [
                type(peer).__name__,
                f'{noise:g}',
                f'{100 * (decisions == truth.numpy()).mean():.2f} %',
                *(f'{seconds:.2f}' for seconds in (fit, predict, peer_fit, peer_predict)),
                f'{(peer_fit + peer_predict) / (fit + predict):.1f}',
                f'{100 * (decisions == expected).mean():.3f} %',
            ]
            print('| ' + ' | '.join(cells) + ' |', flush=True)


def report_memory(classes: int, dim: int, covariance: str) -> None:
    """Print the peak memory of a process that fits and predicts from batches, beyond that of its imports."""

    def mebibytes(key: str) -> float:
        status = Path('/proc/self/status').read_text()
        return int(re.search(rf'^{key}:\s+(\d+) kB', status, re.M).group(1)) / 1024

    before = mebibytes('VmRSS')
    model, generator = GaussianDiscriminantAnalysis(covariance), torch.Generator().manual_seed(0)
    batch = 8192
    for _ in range(4):
        labels = torch.randint(classes, (batch,), generator=generator)
        model.partial_fit(torch.randn(batch, dim, generator=generator) + labels.unsqueeze(1), labels, classes)
    start = time.perf_counter()
    model.priors_  # noqa: B018  fits
    fit = time.perf_counter() - start
    start = time.perf_counter()
    model.predict_log_proba(torch.randn(256, dim, generator=generator))
    predict = time.perf_counter() - start
    model.predict(torch.randn(batch, dim, generator=generator))
    moments = (classes if covariance == 'class' else 1) * dim**2 * 8 / MEBI
    peak = mebibytes('VmHWM')
    print(
        f'{covariance}, {classes} x {dim}: peak {peak:.0f} MiB, {peak - before:.0f} MiB more than before, for '
        f'{moments:.0f} MiB of covariances; shrinking and factoring {fit:.1f} s, log-densities of 256 samples '
        f'{predict:.2f} s'
    )


def main() -> None:
    """Print the speed, then the memory, each size in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--samples', type=int, default=50000)
    parser.add_argument('--classes', type=int, default=100)
    parser.add_argument('--dim', type=int, default=512)
    parser.add_argument('--noise', type=float, nargs='+', default=[0.25, 1.0, 4.0, 16.0])
    parser.add_argument('--no-bfloat16', action='store_true', help='as on processors without its instructions')
    parser.add_argument('--memory', nargs=3, help='measure the memory of CLASSES DIM COVARIANCE, and nothing else')
    args = parser.parse_args()
    if args.memory:
        report_memory(int(args.memory[0]), int(args.memory[1]), args.memory[2])
        return
    if args.no_bfloat16:
        torch.backends.mkldnn.set_flags(_enabled=False)
    print(f'Precisions below float64: {fast_precisions(torch.device("cpu"))}')
    print(f'torch {torch.__version__}, scikit-learn {sklearn.__version__}, {torch.get_num_threads()} threads')
    print(f'{args.samples} samples to fit and to predict, {args.classes} classes, {args.dim} dimensions')
    report_speed(args)
    if args.no_bfloat16:
        return
    for size in (('200', '512', 'class'), ('1000', '2048', 'shared')):
        subprocess.run([sys.executable, __file__, '--memory', *size], check=True)


if __name__ == '__main__':
    main()
