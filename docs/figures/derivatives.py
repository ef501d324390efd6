"""Draw Fig. 3 and 4 of the paper, the slope of the cosine term by the angle: python docs/figures/derivatives.py."""

from pathlib import Path

import torch
from torch import Tensor

from mmpod.functional import cosine_loss
from mmpod.visualization.style import COLOURS, MARKERS, new_axes, write_png

FIGURES = {
    'fig3': (1, 'Fig. 3: derivative of 1 - cos θ', 'd(1 - cos θ)/dθ'),
    'fig4': (2, 'Fig. 4: derivative of (1 - cos θ)²', 'd(1 - cos θ)$^2$/dθ'),
}


def derivative(power: int, degrees: Tensor) -> Tensor:
    r"""Return :math:`d/d\theta\,(1 - \cos\theta)^{power}` at angles (N,), by autograd through the loss itself."""
    angles = torch.deg2rad(degrees.double()).requires_grad_()
    features = torch.stack([angles.cos(), angles.sin()], dim=1)
    centroids = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    losses = cosine_loss(features, torch.zeros(len(angles), dtype=torch.long), centroids, power)
    return torch.autograd.grad(losses.sum(), angles)[0]


def main() -> None:
    """Write the pictures."""
    degrees = torch.arange(181)
    for name, (power, title, label) in FIGURES.items():
        slope = derivative(power, degrees)
        top = int(slope.argmax())
        figure, axes = new_axes(5.0, 3.6)
        axes.plot(degrees, slope, color=COLOURS[0])
        axes.plot(top, slope[top], MARKERS[0], color=COLOURS[1])
        axes.annotate(f'{slope[top]:.3f} at {top}°', (top, slope[top]), (top - 30, 0.9 * slope[top]), ha='right')
        axes.set(xlabel='angle θ to the target centroid (degrees)', ylabel=label, xticks=range(0, 181, 30))
        figure.suptitle(title, fontsize='medium')
        write_png(figure, Path(__file__).with_name(f'{name}.png'))


if __name__ == '__main__':
    main()
