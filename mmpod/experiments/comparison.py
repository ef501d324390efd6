"""Comparison of training runs: tables, and whether their difference exceeds the spread of the seeds."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Optional, Union

import pandas as pd
from scipy import stats

from mmpod.experiments.markdown import markdown_table, mean_and_spread
from mmpod.experiments.metrics import METRIC, number_format, unit
from mmpod.experiments.records import Record
from mmpod.experiments.run_files import Run
from mmpod.experiments.sweep import Trial

__all__ = ['GEOMETRY', 'curves_csv', 'final_values', 'geometry_table', 'half_interval']
__all__ += ['summary_row', 'summary_table', 'trial_table', 'verdict']

SHARE = 0.9  # of the last value, for the column "epochs to"
CONFIDENCE = 0.95
# The values that mmpod.FeatureGeometry reports.
GEOMETRY = (
    *('target_cosine', 'max_nontarget_cosine', 'within_between', 'nc1', 'nc2_equinorm', 'nc2_equiangularity'),
    *('nc2_max_angle', 'nc3_self_duality', 'effective_rank'),
)
SPREAD = '±: sample standard deviation over the seeds.'


def final_values(runs: Iterable[Run], metric: str) -> dict[int, float]:
    """Return the metric after the last epoch by seed, for the runs that have measured it."""
    return {run.seed: _decimal(value) for run in runs if (value := run.final(metric)) is not None}


def _decimal(value: float) -> float:
    """Return a value without what float32 adds to it: accuracies are computed in it, where 65.8 is 65.800003."""
    return float(f'{value:.7g}')


def summary_row(
    runs: Sequence[Union[Run, Record]], metric: str, target: Optional[float] = None, lower_is_better: bool = False
) -> dict[str, str]:
    """Return the last and the best value of runs that differ in their seed, and the epochs to a target, by column.

    ``target`` is by default 90 % of the last value of each run's own curve, or 10 % above it if lower is better.
    """
    form, percent = number_format(metric), unit(metric)
    relative = f'within {100 * (1 - SHARE):g} % of the last' if lower_is_better else f'{100 * SHARE:g} % of the last'
    aim = relative if target is None else f'{target:g}{percent.replace(",", "")}'
    finals = [run.final(metric) for run in runs]  # refuses a metric with one value per class
    sign = -1 if lower_is_better else 1
    best: list[Optional[float]] = []
    epochs: list[Optional[int]] = []
    for run in runs:
        curve = {epoch: _decimal(value) for epoch, value in run.curve(metric).items()}
        last = next(reversed(curve.values()), math.nan)
        share = SHARE if (last >= 0) != lower_is_better else 2 - SHARE
        goal = target if target is not None else _decimal(last * share)
        best.append((min if lower_is_better else max)(curve.values(), default=None))
        epochs.append(next((epoch for epoch, value in curve.items() if sign * value >= sign * goal), None))
    return {
        f'last epoch{percent}': mean_and_spread(finals, form),
        f'best epoch{percent}': mean_and_spread(best, form),
        f'epochs to {aim}': mean_and_spread(epochs, '.1f'),
    }


def summary_table(
    runs: Sequence[Run], metric: str = METRIC, target: Optional[float] = None, lower_is_better: bool = False
) -> str:
    """Return a Markdown table of finished runs with one row per name, followed by notes on its columns.

    The arguments are those of :func:`summary_row`; runs of the same name differ in their seed.
    """
    by_name: dict[str, list[Run]] = {}
    for run in runs:
        by_name.setdefault(run.name, []).append(run)
    table = pd.DataFrame(
        {
            'run': name,
            'seeds': ', '.join(str(run.seed) for run in group),
            **summary_row(group, metric, target, lower_is_better),
            'time of a run, s': f'{statistics.mean(run.record["wall_s"] for run in group):.0f}',
        }
        for name, group in by_name.items()
    )
    notes = [f'{metric}, {"lower" if lower_is_better else "higher"} is better.']
    if len({run.seed for run in runs}) > 1:
        notes.append(SPREAD)
    if (table == '-').any(axis=None):
        notes.append('-: not measured (an evaluation has no epochs), or not reached by every seed.')
    notes.append(
        'Time of a run: wall time of all its starts, validation included, mean over the seeds; it depends on what else '
        'the machine did.'
    )
    return '\n'.join([markdown_table(table), '', *notes])


def verdict(values: Mapping[str, Mapping[int, float]], metric: str, lower_is_better: bool = False) -> str:
    """Return which name is best, and whether each other one differs by more than the spread of the seeds.

    The difference from the best is the mean of the paired differences over the seeds that both have. It exceeds the
    spread of the seeds if its 95 % confidence interval (paired Student's t) excludes 0. Fewer than two common seeds, or
    equal differences, have no spread and therefore no verdict. Values that are not finite are left out and named.
    Neither the number of comparisons nor the selection of the best is corrected for.

    Args:
        values: The metric after the last epoch, by name and seed.
        metric: Name of the metric.
        lower_is_better: Whether lower values of the metric are better.

    Example:
        >>> print(verdict({'pod': {0: 92.0, 1: 93.0}, 'softmax': {0: 90.0, 1: 91.1}}, 'accuracy/top1'))
        Best by accuracy/top1: pod, 92.50.
        - softmax: worse by 1.95 (95 % interval 1.31 to 2.59, 2 seeds in pairs), beyond the spread of the seeds.
    """
    finite = {
        name: {seed: value for seed, value in by_seed.items() if math.isfinite(value)}
        for name, by_seed in values.items()
    }
    left_out = [f'{name} seed {seed}' for name in values for seed in values[name] if seed not in finite[name]]
    lines = [f'Left out, because their {metric} is not a finite number: {", ".join(left_out)}.'] if left_out else []
    values = {name: by_seed for name, by_seed in finite.items() if by_seed}
    if len(values) < 2:
        return '\n'.join(lines)
    means = {name: statistics.mean(by_seed.values()) for name, by_seed in values.items()}
    best = (min if lower_is_better else max)(means, key=means.__getitem__)
    form, sign = number_format(metric), -1 if lower_is_better else 1
    lines.append(f'Best by {metric}: {best}, {means[best]:{form}}.')
    for name, by_seed in values.items():
        if name == best:
            continue
        pairs = [sign * (values[best][seed] - by_seed[seed]) for seed in values[best] if seed in by_seed]
        if len(pairs) < 2:
            lines.append(f'- {name}: fewer than two common seeds, too few for a verdict. Repeat with more --seeds.')
            continue
        difference, half = statistics.mean(pairs), half_interval(pairs)
        text = f'- {name}: {"worse" if difference >= 0 else "better"} by {abs(difference):{form}} '
        if half <= 1e-9 * abs(means[best]):  # equal up to rounding
            text = text if difference else f'- {name}: equal '
            lines.append(f'{text}with each of {len(pairs)} seeds: without a spread there is no interval. Add --seeds.')
            continue
        interval = f'{difference - half:{form}} to {difference + half:{form}}, {len(pairs)} seeds in pairs'
        beyond = 'beyond' if abs(difference) > half else 'no difference beyond'
        text += f'({100 * CONFIDENCE:g} % interval {interval}), {beyond} the spread of the seeds.'
        lines.append(text)
    return '\n'.join(lines)


def half_interval(values: Sequence[float]) -> float:
    """Return half the width of the 95 % confidence interval of a mean (Student's t); NaN of a single value."""
    if len(values) < 2:
        return math.nan
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * stats.sem(values))


def trial_table(
    configs: Sequence[str],
    trials: Sequence[Trial],
    runs: Sequence[Run],
    metric: str = METRIC,
    lower_is_better: bool = False,
) -> str:
    """Return a Markdown table of a metric after the last epoch, with the best of each config in bold, and a verdict.

    Args:
        configs: Names of the configs, one row each.
        trials: One column each.
        runs: The finished runs; their settings are the names of the trials.
        metric: The metric to compare.
        lower_is_better: Whether lower values of the metric are better.
    """
    form, rows, verdicts, at_best = number_format(metric), [], [], {}
    most = len({run.seed for run in runs})
    for config in configs:
        values = {
            trial.name: final_values((run for run in runs if (run.name, run.setting) == (config, trial.name)), metric)
            for trial in trials
        }
        means = {name: statistics.mean(by_seed.values()) for name, by_seed in values.items() if by_seed}
        means = {name: mean for name, mean in means.items() if math.isfinite(mean)}  # a diverged one is not the best
        ranked = sorted(means, key=means.__getitem__, reverse=not lower_is_better)
        row = {'config': config}
        for name, by_seed in values.items():
            text = mean_and_spread(by_seed.values(), form)
            text = f'**{text}**' if name in means and means[name] == means[ranked[0]] else text
            row[name] = text + (f' ({len(by_seed)} of {most} seeds)' if 0 < len(by_seed) < most else '')
        rows.append(row)
        if text := verdict({name: values[name] for name in ranked[:2]}, metric, lower_is_better):
            verdicts.append(f'\n{config}, the best setting against the second:\n{text}')
        if ranked:
            at_best[f'{config} at {ranked[0]}'] = values[ranked[0]]
    if text := verdict(at_best, metric, lower_is_better):
        verdicts.append(f'\nThe configs at their best settings:\n{text}')
    table = pd.DataFrame(rows)
    notes = [f'{metric} of the last epoch, {"lower" if lower_is_better else "higher"} is better, the best in bold.']
    if most > 1:
        notes.append(SPREAD)
    if (table == '-').any(axis=None):
        notes.append('-: no finished run that has measured it, or not finite with one of the seeds.')
    return '\n'.join([markdown_table(table), '', *notes, *verdicts])


def geometry_table(runs: Sequence[Run]) -> str:
    """Return a Markdown table of the values of ``mmpod.FeatureGeometry`` in the last epoch, one row per name.

    Each is the mean ± sample standard deviation over the seeds, or ``-`` if the head has no such measure.
    """
    rows = [{'run': run.name, **{metric: run.final(f'geometry/{metric}') for metric in GEOMETRY}} for run in runs]
    by_name = pd.DataFrame(rows, columns=['run', *GEOMETRY]).groupby('run', sort=False)
    # Without arguments of its own: with any, pandas 2 would pass all columns at once.
    return markdown_table(by_name.agg(_three_digits).reset_index())


def _three_digits(values: Iterable[Optional[float]]) -> str:
    return mean_and_spread(values, '.3f')


def curves_csv(runs: Sequence[Run], path: Path, metric: str = METRIC) -> None:
    """Write a CSV file of a metric for every run and epoch."""
    rows = [(run.name, run.seed, epoch, value) for run in runs for epoch, value in run.curve(metric).items()]
    pd.DataFrame(rows, columns=['run', 'seed', 'epoch', metric]).to_csv(path, index=False, float_format='%.6g')
