import json

import pytest

from mmpod.experiments.run import Run
from mmpod.experiments.sweep import parse_grid, trial_table


def test_every_combination_once():
    trials = parse_grid(['a.lr=0.1,0.3', 'b.c.weight=1,2,5'])
    assert len(trials) == 6 and len({trial.name for trial in trials}) == 6
    assert trials[0].name == 'lr=0.1,weight=1' and list(trials[0].overrides) == ['a.lr=0.1', 'b.c.weight=1']
    assert {tuple(trial.overrides) for trial in trials} == {
        (f'a.lr={lr}', f'b.c.weight={weight}') for lr in ('0.1', '0.3') for weight in (1, 2, 5)
    }


def test_commas_in_brackets_belong_to_the_value():
    trials = parse_grid(['a.milestones=[1,2],[3]', 'b.betas=(0.9,0.99)', 'c.text=x=y'])
    assert [list(trial.overrides) for trial in trials] == [
        ['a.milestones=[1,2]', 'b.betas=(0.9,0.99)', 'c.text=x=y'],
        ['a.milestones=[3]', 'b.betas=(0.9,0.99)', 'c.text=x=y'],
    ]


@pytest.mark.parametrize(
    'words',
    [
        *(['lr'], ['=1'], ['lr='], ['lr=1,'], ['lr=1,1'], ['a.lr=1', 'b.lr=2']),
        *(['lr=[1,2'], ['lr=1]'], ['lr=[[1,2],3]'], ['randomness.seed=1,2']),
    ],
)
def test_malformed_grids_are_refused(words):
    with pytest.raises(ValueError, match='Expected --grid'):
        parse_grid(words)


def test_table_marks_the_best_mean(tmp_path):
    trials, runs = parse_grid(['lr=1,2,3,4']), {}
    for trial, accuracies in zip(trials, [[10.0, 30.0], [25.0, 25.5], [], [None]]):
        runs['a', trial.name] = []
        for seed, accuracy in enumerate(accuracies):
            folder = tmp_path / trial.name / str(seed)
            folder.mkdir(parents=True)
            metrics = {'other': 1.0} if accuracy is None else {'accuracy/top1': accuracy}
            (folder / 'metrics.json').write_text(json.dumps(metrics))
            runs['a', trial.name].append(Run('a', seed, folder))
    assert trial_table(['a'], trials, runs).splitlines() == [
        '| config | lr=1 | lr=2 | lr=3 | lr=4 |',
        '|---|---|---|---|---|',
        '| a | 20.00 | **25.25** | - | - |',
    ]
