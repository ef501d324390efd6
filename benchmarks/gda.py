"""Compare Gaussian discriminant analysis with scikit-learn's QDA and LDA: times, equal predictions, peak memory.

OMP_NUM_THREADS=1 python benchmarks/gda.py [--samples 50000] [--classes 100] [--dim 512]

The data are unit-length features around PEDCC centroids, with a different covariance per class. More noise energy,
relative to that of the centroid, makes the task harder. Both are fitted on one set and predict another of the same
size; the peer predicts only its first --peer-samples, and its time is scaled. Seconds are CPU time of this process, so
that other programs on the machine matter less.
"""

import argparse
import platform
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import numpy as np
import sklearn
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis

from mmpod.functional import normalize_rows, pedcc
from mmpod.posthoc import GaussianDiscriminantAnalysis

SHRINKAGE = 0.1


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


def seconds(function: Callable, *args) -> tuple[float, object]:
    """Return the CPU time and the result of a call."""
    start = time.process_time()
    result = function(*args)
    return time.process_time() - start, result


def report_speed(args: argparse.Namespace) -> None:
    """Print a table, one row per peer and level of noise."""
    print('| peer | noise energy | accuracy | fit, s | predict, s | peer: fit, s | predict, s | ratio | equal |')
    print('|---|---|---|---|---|---|---|---|---|')
    peers = dict(
        QDA=('class', QuadraticDiscriminantAnalysis(solver='eigen', shrinkage=SHRINKAGE, tol=0)),
        LDA=('shared', LinearDiscriminantAnalysis(solver='lsqr', shrinkage=SHRINKAGE)),
    )
    for noise in args.noise:
        train, labels = make_data(args.samples, args.classes, args.dim, noise, seed=1)
        test, truth = make_data(args.samples, args.classes, args.dim, noise, seed=2)
        some = test[: args.peer_samples]
        for name in args.peers:
            covariance, peer = peers[name]
            ours = GaussianDiscriminantAnalysis(covariance, SHRINKAGE)
            fit, _ = seconds(ours.fit, train, labels)
            peer_fit, _ = seconds(peer.fit, train.numpy(), labels.numpy())
            peer_predict, expected = seconds(peer.predict, some.numpy())
            predict, decisions = seconds(ours.predict, test)
            peer_predict *= len(test) / len(some)
            ratio = (peer_fit + peer_predict) / (fit + predict)
            equal = 100 * np.mean(decisions[: len(some)].numpy() == expected)
            accuracy = 100 * (decisions == truth).double().mean().item()
            print(
                f'| {name} | {noise:g} | {accuracy:.2f} % | {fit:.2f} | {predict:.2f} | {peer_fit:.2f} | '
                f'{peer_predict:.2f} | {ratio:.1f} | {equal:.3f} % |',
                flush=True,
            )


def report_memory(classes: int, dim: int, covariance: str) -> None:
    """Print the peak memory of a process that fits and predicts from batches, beyond that of its imports."""

    def mebibytes(key: str) -> float:
        status = Path('/proc/self/status').read_text()
        return int(re.search(rf'^{key}:\s+(\d+) kB', status, re.M).group(1)) / 1024

    before = mebibytes('VmRSS')
    model, generator, batch = GaussianDiscriminantAnalysis(covariance), torch.Generator().manual_seed(0), 8192
    for _ in range(4):
        labels = torch.randint(classes, (batch,), generator=generator)
        model.partial_fit(torch.randn(batch, dim, generator=generator) + labels.unsqueeze(1), labels, classes)
    model.predict(torch.randn(batch, dim, generator=generator))
    one = (classes if covariance == 'class' else 1) * dim**2 * 8 / 2**20
    print(
        f'{covariance}, {classes} x {dim}: {mebibytes("VmHWM") - before:.0f} MiB more at the peak than before, for '
        f'covariances of {one:.0f} MiB'
    )


def main() -> None:
    """Print the speed, then the memory, each size in a separate process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--samples', type=int, default=50000)
    parser.add_argument('--peer-samples', type=int, default=5000, help='samples that the peer predicts')
    parser.add_argument('--classes', type=int, default=100)
    parser.add_argument('--dim', type=int, default=512)
    parser.add_argument('--noise', type=float, nargs='*', default=[0.25, 1.0, 4.0, 16.0])
    parser.add_argument('--peers', nargs='+', choices=['QDA', 'LDA'], default=['QDA', 'LDA'])
    parser.add_argument('--memory', nargs=3, help='measure only the memory of CLASSES DIM COVARIANCE')
    args = parser.parse_args()
    if args.memory:
        report_memory(int(args.memory[0]), int(args.memory[1]), args.memory[2])
        return
    versions = f'Python {platform.python_version()}, torch {torch.__version__}, scikit-learn {sklearn.__version__}'
    print(f'{time.strftime("%Y-%m-%d")}, {versions}, {torch.get_num_threads()} threads')
    print(f'{args.samples} samples to fit and to predict, {args.classes} classes, {args.dim} dimensions')
    report_speed(args)
    for size in (('200', '512', 'class'), ('1000', '2048', 'shared')):
        subprocess.run([sys.executable, __file__, '--memory', *size], check=True)


if __name__ == '__main__':
    main()
