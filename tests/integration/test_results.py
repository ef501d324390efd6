"""The tables of docs/results.md that are written by hand say what the logs say; the others are generated."""

import json
import re
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / 'results'
CONFIGS = {
    'Softmax': 'softmax_{}',
    'Center Loss': 'center_{}',
    'AM-Softmax (s = 5, m = 0.25)': 'amsoftmax_{}',
    'PEDCC-Loss (s = 10, m = 0.5)': 'pedccloss_{}',
    'Cosine Loss': 'cosine_{}',
    'POD Loss': 'pod_{}',
}
LAMBDAS = {'1/(D - 1)': 'sc1d', '0.01': 'sc001', '0.1': 'sc01', '10': 'sc10', '20': 'sc20'}
TRIALS = {
    'Softmax': 'softmax',
    'POD Loss': 'pod',
    'with batch norm': 'pod_bn',
    "VICReg's term": 'pod_vicreg',
    "VICReg's term and batch norm": 'pod_vicreg_bn',
}


def tables(first_cell):
    """Return the tables whose header begins so: the cells, row by row, with the header."""
    text = (ROOT / 'docs/results.md').read_text()
    found = re.findall(rf'^\| {re.escape(first_cell)} \|.*\n(?:\|.*\n)+', text, re.M)
    return [
        [[cell.strip() for cell in line.strip('|').split('|')] for line in table.splitlines() if '---' not in line]
        for table in found
    ]


def mean_and_spread(files, metric, form):
    values = [json.loads(file.read_text())[metric] for file in sorted(files)]
    assert len(values) == 3
    return f'{statistics.mean(values):{form}} ± {statistics.stdev(values):{form}}'


def last_accuracy(run):
    (log,) = run.glob('*/vis_data/scalars.json')
    return [entry['accuracy/top1'] for entry in map(json.loads, log.open()) if 'accuracy/top1' in entry][-1]


def trials_of(names):
    return [run for name in names for run in (RESULTS / 'cifar10_10k_recipe_tuning').glob(f'{name}/*/seed0')]


@pytest.mark.parametrize(
    'number, folder, setting',
    [
        (0, 'cifar10_10k_geometry', 'resnet18w8_cifar10_10k_tuned'),
        (1, 'tinyimagenet20_geometry', 'resnet18w8_tinyimagenet20'),
    ],
)
def test_geometry(number, folder, setting):
    (header, *rows) = [table for table in tables('loss') if '`target_cosine`' in table[0]][number]
    for loss, *cells in rows:
        files = [*(RESULTS / folder).glob(f'{CONFIGS[loss].format(setting)}_seed*.json')]
        metrics = [f'geometry/{name.strip("`")}' for name in header[1:]]
        assert cells == [mean_and_spread(files, metric, '.2f') for metric in metrics], loss


def test_spectrum_by_lambda():
    ((_, *rows),) = tables('lambda')
    assert [row[0] for row in rows] == list(LAMBDAS)
    for weight, rank, variance in rows:
        files = [*(RESULTS / 'cifar10_10k').glob(f'pod_cifar10_10k_{LAMBDAS[weight]}/seed*/metrics.json')]
        assert rank == mean_and_spread(files, 'spectrum/effective_rank', '.1f')
        assert variance == mean_and_spread(files, 'spectrum/energy_variance_e8', ',.0f')


def test_trials_of_the_recipe():
    ((header, *rows),) = tables('rate, loss weight, weight decay')
    shown = {}
    for settings, *cells in rows:
        trial = 'lr={},loss_weight={},weight_decay={}'.format(*settings.split(', '))
        for column, cell in zip(header[1:], cells):
            if cell != '-':
                shown[f'{TRIALS[column]}/{trial}'] = cell.strip('*')
    made = {f'{run.parents[2].name}/{run.parent.name}': run for run in trials_of(TRIALS.values())}
    assert shown == {name: f'{last_accuracy(run):.2f}' for name, run in made.items()}


def test_more_trials_of_the_recipe():
    ((_, *rows),) = tables('rate, weight decay, lambda')
    shown = {}
    for settings, cell in rows:
        trial = 'lr={},loss_weight=2,weight_decay={},sc_weight={}'.format(*settings.split(', '))
        shown[trial + ', smoothed' * ('label smoothing' in settings)] = cell.split()[0].strip('*')
    made = {run.parent.name: run for run in trials_of(['pod_bn_more'])}
    best = 'lr=0.2,loss_weight=2,weight_decay=5e-4'
    (made[f'{best},sc_weight=1'],) = [run for run in trials_of(['pod_bn']) if run.parent.name == best]
    (made[f'{best},sc_weight=1, smoothed'],) = trials_of(['pod_bn_smoothed'])
    assert shown == {name: f'{last_accuracy(run):.2f}' for name, run in made.items()}


def test_no_trial_of_the_recipe_is_left_out():
    text = (ROOT / 'docs/results.md').read_text()
    section = text[text.index('## A recipe for POD Loss') : text.index('## Speed')]
    runs = [file.parent for file in (RESULTS / 'cifar10_10k_recipe_tuning').rglob('run.json')]
    assert len(runs) > 50
    assert not [str(run) for run in runs if f'{last_accuracy(run):.2f}' not in section]


def test_unknown_classes():
    ((_, *rows),) = tables('score')
    (file,) = (RESULTS / 'open_set').glob('*.json')
    metrics = json.loads(file.read_text())
    for (_, *cells), name in zip(rows, ('log_density', 'mahalanobis', 'max_cosine')):
        assert cells == [f'{metrics[f"open_set/{name}_{measure}"]:.1f}' for measure in ('auroc', 'fpr95')]
