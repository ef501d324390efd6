"""POD Loss, forward and backward, one thread, against the same loss with Eq. 15's D x D matrix written out.

python benchmarks/pod_loss.py
"""

import torch
from timing import compare

from mmpod.functional import pedcc
from mmpod.models import PODLoss

NUM_CLASSES = 100


def off_diagonal(matrix: torch.Tensor) -> torch.Tensor:
    """Return the D (D - 1) entries off the diagonal, by the view trick that Barlow Twins made common."""
    dim = len(matrix)
    return matrix.flatten()[:-1].view(dim - 1, dim + 1)[:, 1:].flatten()


def with_full_matrix(features: torch.Tensor, labels: torch.Tensor, centroids: torch.Tensor) -> torch.Tensor:
    """Eq. 13-16 as one would type them, with R in full."""
    unit = torch.nn.functional.normalize(features)
    own = centroids[labels]
    cosine = (1 - (unit * own).sum(1)).square().mean()
    residuals = unit - own
    second_moment = residuals.T @ residuals / (len(features) - 1)
    return cosine + off_diagonal(second_moment).square().sum()


def main() -> None:
    """Print times and their ratio at two shapes (N, D)."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f'torch {torch.__version__}, 1 thread, float32, K = {NUM_CLASSES}, forward and backward')
    loss = PODLoss()
    for num_samples, dim in ((128, 512), (96, 2048)):
        features = torch.randn(num_samples, dim, requires_grad=True)
        labels, centroids = torch.randint(NUM_CLASSES, (num_samples,)), pedcc(NUM_CLASSES, dim).float()

        def ours(features=features, labels=labels, centroids=centroids):
            return torch.autograd.grad(sum(loss(features, labels, centroids).values()), features)[0]

        def peer(features=features, labels=labels, centroids=centroids):
            return torch.autograd.grad(with_full_matrix(features, labels, centroids), features)[0]

        torch.testing.assert_close(ours(), peer(), rtol=1e-3, atol=1e-6)
        mine, full, ratio = compare(ours, peer, rounds=15, calls=10)
        print(
            f'N = {num_samples}, D = {dim}: {1e3 * mine:.2f} ms against {1e3 * full:.2f} ms, {ratio:.1f} times faster'
        )


if __name__ == '__main__':
    main()
