"""Draw the picture of the README: a simplex of centroids, and how POD Loss and Softmax place test images about theirs.

python tools/train.py configs/small/pod_digits.py --cfg-options randomness.seed=0
python tools/train.py configs/small/softmax_digits.py --cfg-options randomness.seed=0
python docs/figures/front.py work_dirs/pod_digits/epoch_15.pth work_dirs/softmax_digits/epoch_15.pth
"""

import itertools
import sys
import tempfile
from pathlib import Path

import torch
from mmengine.config import Config
from torch import Tensor

from mmpod.engine.runner_session import runner_session
from mmpod.functional import normalize_rows, pedcc
from mmpod.utils.paths import CONFIGS
from mmpod.visualization.geometry_plots import collect_features
from mmpod.visualization.style import COLOURS, write_png

NAMES = {'pod_digits': 'POD Loss', 'softmax_digits': 'Softmax'}
PICTURE = Path(__file__).with_name('front.png')


def cosines(config: str, checkpoint: str) -> tuple[Tensor, Tensor]:
    """Return the cosines of unit-length test features to the mean of their own class and to those of all others.

    A class stands for the mean of its training images, and all is about the mean of these means, whatever the loss: so
    both losses are measured alike, and a perfect simplex gives 1 and -1/9.
    """
    cfg = Config.fromfile(CONFIGS / 'small' / f'{config}.py')
    cfg.work_dir = tempfile.mkdtemp()
    with runner_session(cfg) as runner:
        runner.load_checkpoint(checkpoint, strict=True)
        train, test = collect_features(runner, 'train'), collect_features(runner, 'test')
    means = torch.stack([train.features[train.labels == label].mean(0) for label in range(10)])
    center = means.mean(0)
    cosine = normalize_rows(test.features - center) @ normalize_rows(means - center).T
    own = torch.nn.functional.one_hot(test.labels, 10).bool()
    return cosine[own], cosine[~own]


def draw_simplex(axes) -> None:
    """Draw four centroids in three dimensions."""
    points = pedcc(num_classes=4, feat_dim=3, seed=2)
    for one, other in itertools.combinations(points, 2):
        axes.plot(*torch.stack([one, other]).T, color='0.7', linewidth=1)
    for number, (point, colour) in enumerate(zip(points, COLOURS)):
        axes.quiver(0, 0, 0, *point, color=colour, arrow_length_ratio=0.12)
        axes.text(*(1.22 * point), f'class {number}', color=colour, ha='center', va='center')
    axes.set_title('Fixed centroids: a regular simplex,\nhere 4 classes in 3 dimensions', fontsize='medium')
    axes.set_axis_off()
    axes.set_box_aspect((1, 1, 1), zoom=1.3)


def main(checkpoints: list[str]) -> None:
    """Write the picture."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(9, 3.9), layout='constrained')
    grid = figure.add_gridspec(2, 2, width_ratios=[1, 1.35])
    draw_simplex(figure.add_subplot(grid[:, 0], projection='3d'))
    first = None
    for row, (config, checkpoint) in enumerate(zip(NAMES, checkpoints)):
        own, others = cosines(config, checkpoint)
        axes = first = figure.add_subplot(grid[row, 1], sharex=first, sharey=first)
        for values, name, colour in ((own, 'own class', COLOURS[0]), (others, 'the 9 other classes', COLOURS[1])):
            weights = [100 / len(values)] * len(values)
            axes.hist(values, bins=torch.linspace(-1, 1, 61), weights=weights, color=colour, alpha=0.6, label=name)
        axes.axvline(-1 / 9, color='black', linestyle=':', linewidth=1, label='simplex: -1/9')
        axes.set_title(NAMES[config], fontsize='medium')
        axes.set_ylabel('% of cosines')
        axes.grid(alpha=0.3)
        for name, values in (('own', own), ('others', others)):
            print(f'{NAMES[config]}, {name}: {values.mean():.3f} +- {values.std():.3f}')
    axes.set(xlim=(-1, 1), xlabel='cosine of a test image to the mean of a class')
    figure.axes[1].legend(loc='upper left', fontsize='small')
    figure.axes[1].tick_params(labelbottom=False)
    write_png(figure, PICTURE)


if __name__ == '__main__':
    main(sys.argv[1:])
