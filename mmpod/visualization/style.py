"""The look of all figures, readable in print and by colour-blind people: lines also differ in style and marker."""

from pathlib import Path

__all__ = ['COLOURS', 'MARKERS', 'new_axes', 'write_png']

# Okabe and Ito's colours.
COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000']
MARKERS = ['o', 's', '^', 'D', 'v', 'P', 'X']


def new_axes(width: float = 6.4, height: float = 4.2, rows: int = 1, columns: int = 1):
    """Return a figure and its axes, one or an array of rows times columns."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(rows, columns, figsize=(width, height), layout='constrained')
    for one in figure.axes:
        one.grid(alpha=0.3)
    return figure, axes


def write_png(figure, path: Path) -> None:
    """Write a figure and free its memory."""
    from matplotlib import pyplot as plt

    figure.savefig(path, dpi=150)
    plt.close(figure)
