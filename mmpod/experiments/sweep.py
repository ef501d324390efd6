"""Settings to try: the grid of a hyperparameter search, and the best of what its runs reached."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmpod.experiments.run import METRIC, Run

__all__ = ['Trial', 'parse_grid', 'trial_table']

# A value: what has no comma, and whole brackets, in which commas belong to it.
VALUE = re.compile(r'(?:[^,()\[\]]|\([^()]*\)|\[[^\[\]]*\])+')


@dataclass(frozen=True)
class Trial:
    """One point of a grid.

    Attributes:
        name: Short and fit for a folder, such as ``lr=0.1,loss_weight=5``.
        overrides: Its options of the config, ``key=value``.
    """

    name: str
    overrides: Sequence[str]


def parse_grid(words: Sequence[str]) -> list[Trial]:
    """Return every combination of the values of all keys.

    Args:
        words: ``key=value,value,...``, keys and values as in ``--cfg-options``, such as
            ``param_scheduler.milestones=[6,9],[3,9]``.

    Raises:
        ValueError: A word has another form, or two keys or values are the same.

    Example:
        >>> [trial.name for trial in parse_grid(['optim_wrapper.optimizer.lr=0.1,0.3', 'model.head.loss.power=2'])]
        ['lr=0.1,power=2', 'lr=0.3,power=2']
    """
    axes = []
    for word in words:
        key, _, values = word.partition('=')
        separate = VALUE.findall(values)
        if not key or ','.join(separate) != values or not values or len(set(separate)) < len(separate):
            raise ValueError(
                'Expected --grid to be KEY=VALUE,VALUE,... with different values, and at most one level of brackets in '
                f'each, but got {word!r}.'
            )
        if key == 'randomness.seed':
            raise ValueError('Expected --grid to leave randomness.seed to --seeds, but got it. Use --seeds.')
        axes.append([(key, value) for value in separate])
    last = [axis[0][0].rpartition('.')[2] for axis in axes]
    if len(set(last)) < len(last):
        raise ValueError(f'Expected --grid to have keys that end differently, but got {last}.')
    return [
        Trial(
            ','.join(f'{key.rpartition(".")[2]}={value}' for key, value in point),
            [f'{key}={value}' for key, value in point],
        )
        for point in itertools.product(*axes)
    ]


def trial_table(configs: Sequence[str], trials: Sequence[Trial], runs: dict[tuple[str, str], Sequence[Run]]) -> str:
    """Return a Markdown table of the mean validation accuracy (%) of the last epoch, the best of each config in bold.

    Args:
        configs: Names of the configs, one row each.
        trials: One column each.
        runs: The finished runs of a config and the name of a trial, one a seed.
    """
    lines = ['| config | ' + ' | '.join(trial.name for trial in trials) + ' |', '|---' * (len(trials) + 1) + '|']
    for config in configs:
        means = {
            trial.name: sum(run.metrics()[METRIC] for run in done) / len(done)
            for trial in trials
            if (done := [run for run in runs[config, trial.name] if METRIC in run.metrics()])
        }
        texts = {
            name: f'**{mean:.2f}**' if mean == max(means.values()) else f'{mean:.2f}' for name, mean in means.items()
        }
        lines.append(f'| {config} | ' + ' | '.join(texts.get(trial.name, '-') for trial in trials) + ' |')
    return '\n'.join(lines)
