"""Setting training runs side by side in a table."""

import statistics
from pathlib import Path
from typing import Optional, Sequence

from mmpod.experiments.figures import by_name
from mmpod.experiments.run import Run

__all__ = ['GEOMETRY', 'curves_csv', 'geometry_table', 'mean_and_spread', 'summary_table']

GEOMETRY = (
    'target_cosine',
    'max_nontarget_cosine',
    'within_between',
    'nc1',
    'nc2_equinorm',
    'nc2_equiangularity',
    'nc2_max_angle',
    'nc3_self_duality',
    'effective_rank',
)


def epochs_to_reach(accuracies: dict[int, float], target: float) -> Optional[int]:
    """Return the first epoch whose accuracy is at least ``target`` %, or None."""
    return next((epoch for epoch, accuracy in accuracies.items() if accuracy >= target), None)


def mean_and_spread(values: Sequence[float], form: str = '.2f') -> str:
    """Return the mean, and where there are several values ± their sample standard deviation."""
    spread = f' ± {statistics.stdev(values):{form}}' if len(values) > 1 else ''
    return f'{statistics.mean(values):{form}}{spread}'


def summary_table(runs: Sequence[Run], target: float) -> str:
    """Return a Markdown table, one row a name: accuracy of the last epoch (mean ± sample standard deviation over the
    seeds), of the best epoch, the epochs needed to reach ``target`` % (mean; ``-`` where a seed never did) and the
    wall time of a run in seconds (mean).
    """
    lines = [
        f'| run | seeds | last epoch, % | best epoch, % | epochs to {target:g} % | time of a run, s |',
        '|---|---|---|---|---|---|',
    ]
    for name, group in by_name(runs).items():
        curves = [run.accuracies() for run in group]
        trained = all(curves)  # an evaluation has none
        last = [run.accuracy for run in group]
        reached = [epochs_to_reach(curve, target) for curve in curves]
        lines.append(
            ' | '.join(
                [
                    f'| {name}',
                    ', '.join(str(run.seed) for run in group),
                    '-' if None in last else mean_and_spread(last),
                    mean_and_spread([max(curve.values()) for curve in curves]) if trained else '-',
                    '-' if None in reached else f'{statistics.mean(reached):.1f}',
                    f'{statistics.mean(run.record["wall_s"] for run in group):.0f} |',
                ]
            )
        )
    return '\n'.join(lines)


def geometry_table(runs: Sequence[Run]) -> str:
    """Return a Markdown table of what ``mmpod.FeatureGeometry`` logged in the last epoch, one row a name.

    Mean ± sample standard deviation over the seeds; ``-`` where a head has no such measure.
    """
    lines = ['| run | ' + ' | '.join(GEOMETRY) + ' |', '|---' * (len(GEOMETRY) + 1) + '|']
    for name, group in by_name(runs).items():
        cells = []
        for metric in GEOMETRY:
            curves = [run.curve(f'geometry/{metric}') for run in group]
            cells.append(mean_and_spread([curve[max(curve)] for curve in curves], '.3f') if all(curves) else '-')
        lines.append(f'| {name} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def curves_csv(runs: Sequence[Run], path: Path) -> None:
    """Write the accuracy (%) of every run and epoch."""
    rows = [
        f'{run.name},{run.seed},{epoch},{accuracy:.4f}\n'
        for run in runs
        for epoch, accuracy in run.accuracies().items()
    ]
    path.write_text('run,seed,epoch,accuracy_percent\n' + ''.join(rows))
