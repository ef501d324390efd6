import pytest

from mmpod.engine.command_line import parse_options
from mmpod.experiments.sweep import Trial, expand, parse_grid


def test_every_combination_once():
    trials = parse_grid(['a.lr=0.1,0.3', 'b.c.weight=1,2,5'])
    assert len(trials) == 6 and len({trial.name for trial in trials}) == 6
    assert trials[0] == Trial('lr=0.1,weight=1', ('a.lr=0.1', 'b.c.weight=1'))
    assert {trial.overrides for trial in trials} == {
        (f'a.lr={lr}', f'b.c.weight={weight}') for lr in ('0.1', '0.3') for weight in (1, 2, 5)
    }


def test_commas_in_brackets_belong_to_the_value():
    trials = parse_grid(['a.milestones=[1,2],[3]', 'b.betas=(0.9,0.99)', 'c.text=x=y'])
    assert [trial.overrides for trial in trials] == [
        ('a.milestones=[1,2]', 'b.betas=(0.9,0.99)', 'c.text=x=y'),
        ('a.milestones=[3]', 'b.betas=(0.9,0.99)', 'c.text=x=y'),
    ]


def test_literals_arrive_in_the_config_as_they_are():
    grid = {'a': [1e-05, 3, True, None, 'mmpod.PODLoss', [6, 9], (0.9, 0.99), [[1], (2, 3)]]}
    read = [parse_options(trial.overrides)['a'] for trial in expand(grid)]
    assert read == grid['a'] and [type(value) for value in read] == [type(value) for value in grid['a']]


def test_a_command_line_and_a_dictionary_give_the_same_trials():
    assert parse_grid(['a.lr=0.1,0.3', 'b.on=True']) == expand({'a.lr': [0.1, 0.3], 'b.on': [True]})
    assert expand({}) == [Trial('', ())]


@pytest.mark.parametrize(
    'words',
    [
        *(['lr'], ['=1'], ['lr='], ['lr=1,'], ['lr=1,1'], ['a.lr=1', 'b.lr=2'], ['a=1', 'a=2']),
        *(['lr=[1,2'], ['lr=1]'], ['lr=[[1,2],3]'], ['lr=0.1,0.10'], ['steps=[1,2],[1, 2]']),
    ],
)
def test_malformed_grids_are_refused(words):
    with pytest.raises(ValueError, match='Expected .*grid'):
        parse_grid(words)


@pytest.mark.parametrize('grid', [{'a': []}, {'a': [1, 1]}, {'a': ['x/y', 'x_y']}])
def test_malformed_dictionaries_are_refused(grid):
    with pytest.raises(ValueError, match='Expected .*grid'):
        expand(grid)


def test_names_are_folders():
    assert [trial.name for trial in expand({'a.root': ['/data/x', '/data/y']})] == ['root=_data_x', 'root=_data_y']
