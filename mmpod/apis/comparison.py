"""Reading the logs of training runs and setting them side by side: a table of numbers and a figure of curves."""

import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence

__all__ = ['Run', 'plot_accuracy', 'summary_table']

METRIC = 'accuracy/top1'


@dataclass
class Run:
    """One training of one config with one seed, as its work directory tells it.

    Attributes:
        name: What is compared, the config's name.
        seed: Seed of the run.
        work_dir: Where the run writes.
    """

    name: str
    seed: int
    work_dir: Path

    @property
    def record(self) -> dict:
        """The run's `run.json`: command, versions, ``wall_s`` (seconds so far) ``finished``; empty before the start."""
        path = self.work_dir / 'run.json'
        return json.loads(path.read_text()) if path.is_file() else {}

    def accuracies(self) -> dict[int, float]:
        """Return the validation accuracy (%) by epoch, over all starts of the run; a resumed epoch counts as redone."""
        by_epoch = {}
        for path in sorted(self.work_dir.glob('*/vis_data/scalars.json')):
            for line in path.read_text().splitlines():
                try:
                    entry = json.loads(line)
                except json.JSONDecodeError:  # the line that a killed run left unfinished
                    continue
                if METRIC in entry:
                    by_epoch[entry['step']] = entry[METRIC]
        return dict(sorted(by_epoch.items()))


def epochs_to_reach(accuracies: dict[int, float], target: float) -> Optional[int]:
    """Return the first epoch whose accuracy is at least ``target`` %, or None."""
    return next((epoch for epoch, accuracy in accuracies.items() if accuracy >= target), None)


def _mean_and_spread(values: Sequence[float]) -> str:
    spread = f' ± {statistics.stdev(values):.2f}' if len(values) > 1 else ''
    return f'{statistics.mean(values):.2f}{spread}'


def summary_table(runs: Sequence[Run], target: float) -> str:
    """Return a Markdown table, one row a name: accuracy of the last epoch (mean ± sample standard deviation over the
    seeds), of the best epoch, the epochs needed to reach ``target`` % (mean; ``-`` where a seed never did) and the
    wall time of a run in seconds (mean).
    """
    lines = [
        f'| run | seeds | last epoch, % | best epoch, % | epochs to {target:g} % | time of a run, s |',
        '|---|---|---|---|---|---|',
    ]
    for name, group in _by_name(runs).items():
        curves = [run.accuracies() for run in group]
        reached = [epochs_to_reach(curve, target) for curve in curves]
        lines.append(
            ' | '.join(
                [
                    f'| {name}',
                    ', '.join(str(run.seed) for run in group),
                    _mean_and_spread([list(curve.values())[-1] for curve in curves]),
                    _mean_and_spread([max(curve.values()) for curve in curves]),
                    '-' if None in reached else f'{statistics.mean(reached):.1f}',
                    f'{statistics.mean(run.record["wall_s"] for run in group):.0f} |',
                ]
            )
        )
    return '\n'.join(lines)


def plot_accuracy(runs: Sequence[Run], path: Path) -> None:
    """Write a PNG of accuracy by epoch: the mean of each name as a line, the range of its seeds as a band."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    # Okabe and Ito's colours, told apart by colour-blind readers; line styles do the same in black and white.
    colours = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000']
    styles = ['-', '--', ':', '-.']
    figure, axes = plt.subplots(figsize=(6.4, 4.2), layout='constrained')
    for index, (name, group) in enumerate(_by_name(runs).items()):
        curves = [run.accuracies() for run in group]
        epochs = sorted(set.intersection(*(set(curve) for curve in curves)))
        columns = [[curve[epoch] for curve in curves] for epoch in epochs]
        colour = colours[index % len(colours)]
        axes.plot(
            epochs,
            [statistics.mean(column) for column in columns],
            styles[index % len(styles)],
            color=colour,
            label=name,
        )
        axes.fill_between(
            epochs,
            [min(column) for column in columns],
            [max(column) for column in columns],
            color=colour,
            alpha=0.2,
            linewidth=0,
        )
    axes.set(xlabel='epoch', ylabel='test accuracy (%)')
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _by_name(runs: Sequence[Run]) -> dict[str, list[Run]]:
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.name, []).append(run)
    return groups
