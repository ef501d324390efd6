"""Tables and verdicts against numbers worked by hand from logs written here."""

import argparse
import json
import math
import runpy
from dataclasses import replace

import pandas as pd
import pytest
import torch
from helpers import write_log
from scipy import stats

from mmpod.experiments import conditions
from mmpod.experiments.comparison import (
    curves_csv,
    final_values,
    geometry_table,
    summary_row,
    summary_table,
    trial_table,
    verdict,
)
from mmpod.experiments.figures import plot_accuracy, plot_geometry
from mmpod.experiments.run_files import Run
from mmpod.experiments.sweep import parse_grid


def write_run(folder, name, seed, starts, wall_s=1.0, metric='accuracy/top1'):
    """`starts`: one {epoch: value} for each start of the run; the log of each ends in a torn line."""
    for index, curve in enumerate(starts):
        entries = [{metric: value, 'step': epoch} for epoch, value in curve.items()]
        of_training = {'loss': 1.0, 'lr': 0.1, 'iter': 7, 'step': 7}
        write_log(folder, of_training, *entries, started=f'2026010{index}', torn='{"accuracy/to')
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'run.json').write_text(json.dumps(dict(finished=True, wall_s=wall_s)))
    return Run(name, seed, folder)


def cells(table):
    """Return the rows of the first Markdown table as dictionaries."""
    rows = [[cell.strip() for cell in row.strip('|').split('|')] for row in table.splitlines() if row.startswith('|')]
    return [dict(zip(rows[0], row)) for row in rows[2:]]


@pytest.fixture
def runs(tmp_path):
    return [
        write_run(tmp_path / '0', 'a', 0, [{1: 50.0, 2: 90.0, 3: 80.0}], 10),
        write_run(tmp_path / '1', 'a', 1, [{1: 91.0, 2: 92.0, 3: 83.0}], 21),
        write_run(tmp_path / '2', 'b', 0, [{1: 50.0, 2: 60.0}], 3),
    ]


def test_summary_table(runs, tmp_path):
    table = summary_table(runs, target=90)
    first, second = cells(table)
    # Last epochs 80 and 83: mean 81.5, sample standard deviation 3 / sqrt(2); epochs to 90 %: 2 and 1.
    assert list(first.values()) == ['a', '0, 1', '81.50 ± 2.12', '91.00 ± 1.41', '1.5 ± 0.7', '16']
    assert list(second.values()) == ['b', '0', '60.00', '60.00', '-', '3'] and 'epochs to 90 %' in second
    assert all(words in table for words in ('higher is better', '±: sample', '-: not measured', 'Time of a run: wall'))
    plot_accuracy([(run.name, run) for run in runs], tmp_path / 'curves.png')
    assert (tmp_path / 'curves.png').stat().st_size > 10_000
    curves_csv(runs, tmp_path / 'curves.csv')
    written = pd.read_csv(tmp_path / 'curves.csv')
    assert len(written) == 8 and written['accuracy/top1'].tolist()[:3] == [50.0, 90.0, 80.0]


def test_epochs_are_counted_to_a_share_of_the_own_last_value(runs):
    first, second = cells(summary_table(runs))
    # 90 % of 80 and 83 are 72 and 74.7, reached in epochs 2 and 1; 54 in epoch 2.
    assert (first['epochs to 90 % of the last'], second['epochs to 90 % of the last']) == ('1.5 ± 0.7', '2.0')


def test_a_run_that_reaches_the_share_exactly_has_reached_it(tmp_path):
    run = write_run(tmp_path, 'a', 0, [{1: 72.0, 2: 79.0, 3: 80.0}])
    assert cells(summary_table([run]))[0]['epochs to 90 % of the last'] == '1.0'


def test_lower_is_better(tmp_path):
    run = write_run(tmp_path, 'a', 0, [{1: 4.0, 2: 1.05, 3: 0.5, 4: 1.0}], metric='error')
    (row,) = cells(summary_table([run], 'error', lower_is_better=True))
    assert list(row.values())[2:5] == ['1', '0.5', '2.0'] and 'epochs to within 10 % of the last' in row
    text = verdict({'a': {0: 2.0, 1: 3.0}, 'b': {0: 1.0, 1: 1.5}}, 'error', lower_is_better=True)
    interval = stats.ttest_rel([2.0, 3.0], [1.0, 1.5]).confidence_interval()
    assert (
        'Best by error: b, 1.25.\n- a: worse by 1.25 ' in text and f'{interval.low:.4g} to {interval.high:.4g}' in text
    )


def test_the_best_mean_may_lose_on_the_common_seeds():
    text = verdict({'a': {0: 90.0, 1: 92.0, 2: 99.0}, 'b': {0: 91.0, 1: 93.5}}, 'accuracy/top1')
    assert 'Best by accuracy/top1: a, 93.67.\n- b: better by 1.25 ' in text


def test_a_metric_with_one_value_per_class_is_refused(tmp_path):
    run = write_run(tmp_path, 'a', 0, [{1: [10.0, 20.0], 2: [30.0, 40.0]}], metric='recall')
    with pytest.raises(ValueError, match='Expected `recall` to be a number, but it has 2 values'):
        summary_table([run], 'recall')


def test_an_evaluation_without_curve_has_dashes(tmp_path):
    run = write_run(tmp_path, 'a', 0, [])
    (tmp_path / 'metrics.json').write_text(json.dumps({'gda/top1': 97.5, 'cosine/top1': 90.0}))
    (row,) = cells(summary_table([run]))
    assert list(row.values()) == ['a', '0', '97.50', '-', '-', '1']


def test_paired_verdict_agrees_with_scipy():
    best, other = [92.0, 95.0, 97.0], [91.5, 94.0, 96.7]  # far spread, but every seed is better
    interval = stats.ttest_rel(best, other).confidence_interval()
    text = verdict({'a': dict(enumerate(best)), 'b': dict(enumerate(other))}, 'accuracy/top1')
    assert f'interval {interval.low:.2f} to {interval.high:.2f}, 3 seeds in pairs' in text
    assert 'no difference beyond the spread' in text and interval.low < 0


@pytest.mark.parametrize(
    'values, words',
    [
        ({'a': {0: 90.0}, 'b': {0: 80.0}}, 'fewer than two common seeds, too few'),
        ({'a': {0: 90.0, 1: 91.0}, 'b': {0: 90.0, 1: 91.0}}, 'b: equal with each of 2 seeds: without a spread'),
        ({'a': {0: 95.6, 1: 95.8}, 'b': {0: 95.4, 1: 95.6}}, 'b: worse by 0.20 with each of 2 seeds: without a spread'),
        ({'a': {0: 95.6, 1: math.nan}, 'b': {0: 95.7, 1: 95.6}}, 'a seed 1.\nBest by accuracy/top1: b, 95.65'),
        ({'a': {0: 95.6}, 'b': {0: math.nan}}, 'because their accuracy/top1 is not a finite number: b seed 0.'),
        ({'a': {0: 90.0, 1: 91.0}, 'b': {2: 80.0}}, 'fewer than two common seeds, too few'),
    ],
)
def test_verdict_at_the_edges(values, words):
    text = verdict(values, 'accuracy/top1')
    assert words in text and 'beyond' not in text and 'nan' not in text


def test_no_verdict_on_one_name():
    assert verdict({'a': {0: 90.0}, 'b': {}}, 'accuracy/top1') == ''


def test_trial_table_marks_the_best_mean(tmp_path):
    trials, runs = parse_grid(['lr=0,1,2,3,4']), []
    for trial, accuracies in zip(trials, [[math.nan, 99.0], [10.0, 30.0], [25.0, 25.5], [], [None]]):
        for seed, accuracy in enumerate(accuracies):
            folder = tmp_path / trial.name / str(seed)
            folder.mkdir(parents=True)
            metrics = {'other': 1.0} if accuracy is None else {'accuracy/top1': accuracy}
            (folder / 'metrics.json').write_text(json.dumps(metrics))
            runs.append(Run('a', seed, folder, trial.name))
    table = trial_table(['a'], trials, runs)
    (row,) = cells(table)
    assert list(row.values()) == ['a', '-', '20.00 ± 14.14', '**25.25 ± 0.35**', '-', '-']
    assert 'the best setting against the second:\nBest by accuracy/top1: lr=2, 25.25.\n- lr=1: worse by 5.25' in table
    (row,) = cells(trial_table(['a'], trials, runs, lower_is_better=True))
    assert list(row.values()) == ['a', '-', '**20.00 ± 14.14**', '25.25 ± 0.35', '-', '-']
    both = trial_table(['a', 'b'], trials, [*runs, *(replace(run, name='b') for run in runs[2:4])])
    assert 'best settings:\nBest by accuracy/top1: a at lr=2, 25.25.\n- b at lr=1: worse by 5.25 (95 %' in both
    assert '| **25.00** (1 of 2 seeds) |' in trial_table(['a'], trials, [*runs[:5], *runs[6:]])


def write_geometry(folder, name, seed, epochs):
    named = [{f'geometry/{metric}': value for metric, value in values.items()} for values in epochs]
    write_log(folder, *({'step': step, **values} for step, values in enumerate(named, 1)))
    return Run(name, seed, folder)


def test_geometry_of_the_last_epoch_side_by_side(tmp_path):
    """Two seeds of a head with prototypes, and a head that has none."""
    first, second = (dict(effective_rank=rank, within_between=0.5, target_cosine=0.25) for rank in (9, 7))
    rest = dict(effective_rank=5, within_between=2.0)
    runs = [
        write_geometry(tmp_path / '0', 'a', 0, [rest, first]),
        write_geometry(tmp_path / '1', 'a', 1, [first, second]),
        write_geometry(tmp_path / '2', 'b', 0, [rest, rest]),
    ]
    a, b = cells(geometry_table(runs))
    assert (a['run'], a['effective_rank'], a['within_between']) == ('a', '8.000 ± 1.414', '0.500 ± 0.000')
    assert a['target_cosine'] == '0.250 ± 0.000' and a['nc1'] == '-'
    assert (b['run'], b['effective_rank'], b['target_cosine']) == ('b', '5.000', '-')
    plot_geometry([(run.name, run) for run in runs], tmp_path / 'geometry.png')
    assert (tmp_path / 'geometry.png').stat().st_size > 10_000


def test_a_metric_without_curves_is_compared_without_a_figure(tmp_path, root, capsys):
    """Such as one that only an evaluation reports."""
    run = Run('gda_digits', 0, tmp_path / 'gda_digits' / 'seed0')
    run.save(dict(finished=True, wall_s=1.0))
    (run.work_dir / 'metrics.json').write_text(json.dumps({'cosine/top1': 90.0}))
    tool = runpy.run_path(str(root / 'tools/compare.py'))
    options = dict(metric='cosine/top1', target=None, lower_is_better=False, cfg_options=[], seeds=[0])
    args = argparse.Namespace(work_dir=tmp_path, configs=[root / 'configs/small/gda_digits.py'], **options)
    tool['report'](args, [run])
    assert '90.00' in (tmp_path / 'table.md').read_text() and not list(tmp_path.glob('*.png'))
    assert 'No run has cosine/top1 by epoch' in capsys.readouterr().out


@pytest.fixture
def saved(tmp_path):
    """Return a function that saves a run of config `name`, with changes of the config and of the rest of the record."""

    def save(name, seed=0, record=None, **changes):
        loaders = {f'{part}_dataloader': dict(dataset=dict(split=part)) for part in ('val', 'test')}
        config = dict(model=dict(type=name), randomness=dict(seed=seed), train_cfg=dict(max_epochs=5), **loaders)
        run = Run(name, seed, tmp_path / name / str(seed))
        run.save(dict(config={**config, **changes}, versions=dict(git='abc', torch='2.8'), **(record or {})))
        return run

    return save


@pytest.fixture
def unequal_conditions():
    return conditions.unequal_conditions


@pytest.mark.parametrize(
    'record, changes, named',
    [
        ({}, dict(train_cfg=dict(max_epochs=6)), 'train_cfg.max_epochs (5, 6)'),
        ({}, dict(load_from='w.pth'), 'load_from (nothing, w.pth)'),
        (
            {},
            dict(model=dict(backbone=dict(init_cfg=dict(checkpoint='w.pth')))),
            'model.backbone.init_cfg.checkpoint (nothing, w.pth)',
        ),
        ({}, dict(model=dict(train_cfg=dict(augments=[]))), 'model.train_cfg.augments (nothing, [])'),
        ({}, dict(val_evaluator=dict(thrs=0.9)), 'val_evaluator.thrs (nothing, 0.9)'),
        ({}, dict(val_dataloader=dict(dataset=dict(split='train'))), 'evaluation.split (val, train)'),
        (dict(processes=2), {}, 'processes (1, 2)'),
    ],
)
def test_conditions_that_differ_between_runs_are_named(record, changes, named, saved, unequal_conditions):
    same = [saved('a'), saved('a', 1), saved('b')]
    assert unequal_conditions(same) == ''
    assert unequal_conditions([*same, saved('b', 1, record, **changes)]).endswith(f'but also in {named}.')


def test_one_class_under_several_names_is_no_difference(saved, unequal_conditions):
    names = ('CustomDataset', 'mmpretrain.CustomDataset', 'mmpretrain.datasets.custom.CustomDataset')
    step = ('LoadImageFromFile', 'mmcv.transforms.loading.LoadImageFromFile', 'mmpretrain.datasets.LoadImageFromFile')
    runs = [
        saved(name.replace('.', '_'), 0, train_dataloader=dict(dataset=dict(type=name, pipeline=[dict(type=load)])))
        for name, load in zip(names, step)
    ]
    assert unequal_conditions(runs) == ''
    other = saved('other', 0, train_dataloader=dict(dataset=dict(type='mmpod.CIFAR10AnyLayout', pipeline=[])))
    assert 'dataset.type (mmpretrain.CustomDataset, mmpod.CIFAR10AnyLayout)' in unequal_conditions([*runs, other])


def test_training_that_stopped_early_is_named(saved, unequal_conditions):
    runs = [saved('a'), saved('b')]
    for run, epochs in zip(runs, (5, 2)):
        write_log(run.work_dir, *({'accuracy/top1': 9.0, 'step': epoch + 1} for epoch in range(epochs)))
    assert unequal_conditions(runs).endswith('but also in last epoch (5, 2).')


def test_an_evaluation_of_other_images_than_the_validation_is_named(saved, unequal_conditions):
    trained, evaluated = saved('pod'), saved('gda_pod', custom_hooks=[dict(type='mmpod.FitGDAHook')])
    (evaluated.work_dir / 'metrics.json').write_text('{"gda/top1": 90.0}')
    assert unequal_conditions([trained, evaluated]).endswith('but also in evaluation.split (val, test).')


def test_accuracies_are_those_before_float32(tmp_path):
    """As mmpretrain's Accuracy logs them: 65.8 becomes 65.80000305."""
    runs = {}
    for name, hits in (('a', (329, 174)), ('b', (328, 173))):
        for seed, number in enumerate(hits):
            run = Run(name, seed, tmp_path / name / str(seed))
            value = torch.tensor(100 * number / 500).item()
            write_log(run.work_dir, {'accuracy/top1': value, 'step': 1}, {'accuracy/top1': value, 'step': 2})
            runs.setdefault(name, []).append(run)
    values = {name: final_values(group, 'accuracy/top1') for name, group in runs.items()}
    assert values == dict(a={0: 65.8, 1: 34.8}, b={0: 65.6, 1: 34.6})
    assert 'worse by 0.20 with each of 2 seeds: without a spread' in verdict(values, 'accuracy/top1')
    assert summary_row(runs['a'][:1], 'accuracy/top1', target=65.8)['epochs to 65.8 %'] == '1.0'
