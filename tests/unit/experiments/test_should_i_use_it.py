"""The settings of "Should I use it?" against the recorded trials."""

import json
from collections import defaultdict

import pytest

from mmpod.experiments.studies.should_i_use_it import METHODS, TRIALS
from mmpod.experiments.studies.small_scale import DECAY, RATE


@pytest.fixture(scope='module')
def trials(root):
    """Accuracy by rate and weight decay, for each method and training set."""
    found = defaultdict(dict)
    for line in (root / 'results/when_tuning.jsonl').read_text().splitlines():
        run = json.loads(line)
        options = dict(option.split('=', 1) for option in run['overrides'])
        setting = float(options[RATE]), float(options[DECAY])
        found[run['setting'].split(',')[0]][setting] = run['metrics'].get('accuracy/top1', 0.0)
    return found


@pytest.mark.parametrize('key', TRIALS)
@pytest.mark.parametrize('method', METHODS)
def test_each_method_runs_with_the_best_of_its_trials(method, key, trials):
    rate, decay = TRIALS[key].chosen[method]
    accuracies = trials[f'{method}_{key}']
    assert accuracies[rate, float(decay)] == max(accuracies.values())
    assert len(accuracies) > 4  # of seven: those that diverged are not recorded
