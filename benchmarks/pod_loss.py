"""Compare POD Loss with the same loss from the D x D matrix of Eq. 15, and with a linear layer and cross entropy.

python benchmarks/pod_loss.py
python benchmarks/pod_loss.py --device cuda
python benchmarks/pod_loss.py --device cuda --compile reduce-overhead

Each number is for one forward and backward pass in float32. At the smallest size, the time is what the host needs to
issue the operations, which are counted forward and backward. The linear layer with cross entropy also computes the
gradients of its weights; it takes the place of POD Loss in a softmax classifier. The operations of a compiled loss are
not counted.
"""

import argparse
from collections.abc import Callable
from functools import partial
from typing import Optional

import torch
from timing import describe, in_turns, operations, ratio
from torch.nn.functional import cross_entropy, normalize

from mmpod.models import PODLoss

TINY = (8, 16, 10)
SIZES = dict(
    cpu=[TINY, (128, 512, 100), (96, 2048, 1000)],
    cuda=[TINY, (128, 512, 100), (96, 2048, 1000), (1024, 2048, 1000), (4096, 512, 1000)],
)


def off_diagonal(matrix: torch.Tensor) -> torch.Tensor:
    """Return the D (D - 1) entries off the diagonal, by the view trick that Barlow Twins made common."""
    dim = len(matrix)
    return matrix.flatten()[:-1].view(dim - 1, dim + 1)[:, 1:].flatten()


def with_full_matrix(features: torch.Tensor, labels: torch.Tensor, centroids: torch.Tensor) -> torch.Tensor:
    """Eq. 13-16 computed literally, with the full matrix R."""
    unit = normalize(features)
    own = centroids[labels]
    cosine = (1 - (unit * own).sum(1)).square().mean()
    residuals = unit - own
    second_moment = residuals.T @ residuals / (len(features) - 1)
    return cosine + off_diagonal(second_moment).square().sum()


def passes(
    num_samples: int, dim: int, num_classes: int, device: str, mode: Optional[str]
) -> dict[str, Callable[[], object]]:
    """Return a forward and backward pass of each variant, on one batch, with ``mode`` also of compiled ones."""
    features = torch.randn(num_samples, dim, device=device, requires_grad=True)
    labels = torch.randint(num_classes, (num_samples,), device=device)
    centroids = normalize(torch.randn(num_classes, dim, device=device))
    loss = PODLoss()
    linear = torch.nn.Linear(dim, num_classes, device=device)

    def pod() -> torch.Tensor:
        terms = loss(features, labels, centroids)
        return terms['loss_cosine'] + terms['loss_sc']

    def full() -> torch.Tensor:
        return with_full_matrix(features, labels, centroids)

    def softmax() -> torch.Tensor:
        return cross_entropy(linear(features), labels)

    pod()  # checks the centroids, which a compiled loss does not
    variants = {'POD Loss': (pod, [features]), 'D x D matrix': (full, [features])}
    variants['linear + CE'] = (softmax, [features, *linear.parameters()])
    if mode is not None:
        for name in ('POD Loss', 'linear + CE'):
            loss_value, inputs = variants[name]
            variants[f'{name}, compiled'] = (torch.compile(loss_value, mode=mode), inputs)
    functions = {name: partial(gradients, *variant) for name, variant in variants.items()}
    torch.testing.assert_close(functions['POD Loss'](), functions['D x D matrix'](), rtol=1e-3, atol=1e-6)
    return functions


def gradients(value: Callable[[], torch.Tensor], inputs: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Return the gradients of a scalar, after a forward and a backward pass."""
    return torch.autograd.grad(value(), inputs)


def main() -> None:
    """Print a row per size and variant."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu', choices=list(SIZES))
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--compile', metavar='MODE', help='also time both under torch.compile, such as reduce-overhead')
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = False
    print(f'{describe(args.device)}, float32, forward and backward, median of {args.rounds} rounds')
    print('| N, D, K | what | operations | time, ms | linear + CE = 1 |\n|---|---|---|---|---|')
    for size in SIZES[args.device]:
        functions = passes(*size, args.device, args.compile)
        times = in_turns(functions, args.rounds, args.device, calls=20 if size == TINY else 5)
        for name, function in functions.items():
            milliseconds = 1e3 * sorted(times[name])[args.rounds // 2]
            against = ratio(times[name], times['linear + CE'])
            count = '-' if name.endswith('compiled') else operations(function)
            row = [', '.join(map(str, size)), name, count, f'{milliseconds:.3f}', against]
            print('| ' + ' | '.join(map(str, row)) + ' |', flush=True)


if __name__ == '__main__':
    main()
