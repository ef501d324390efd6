"""The report of run folders written by hand, to the letter."""

import json

from mmpod.experiments.catalogue import FIGURES, TABLES
from mmpod.experiments.cells import Cell
from mmpod.experiments.figures import derivative
from mmpod.experiments.listing import listing
from mmpod.experiments.report import Result, markdown, results, write_csv, write_report
from mmpod.experiments.run import Run
from mmpod.experiments.selection import select


def write_run(folder, curve, metrics=None, **record):
    path = folder / '20260101' / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(json.dumps({'accuracy/top1': value, 'step': epoch}) for epoch, value in curve.items()))
    (folder / 'run.json').write_text(json.dumps(dict(finished=True, wall_s=1.0, **record)))
    if metrics:
        (folder / 'metrics.json').write_text(json.dumps(metrics))


def hand_made(tmp_path):
    spectrum = {'spectrum/eigenvalue_variance_e8': 2500.0, 'spectrum/energy_variance_e8': 1.5}
    pod, cosine = tmp_path / 'pod_resnet50_cifar10', tmp_path / 'cosine_resnet50_cifar10'
    write_run(pod / 'seed0', {1: 50.0, 2: 95.0, 3: 94.0}, {'accuracy/top1': 94.0, **spectrum})
    write_run(pod / 'seed1', {1: 60.0, 2: 92.0, 3: 93.0}, {'accuracy/top1': 93.0, **spectrum}, options=['a.b=1'])
    write_run(cosine / 'seed0', {1: 90.0})
    (cosine / 'seed1').mkdir()
    (cosine / 'seed1' / 'run.json').write_text(json.dumps(dict(finished=False, failed='ValueError: no')))

    def run_of(config, seed):
        return Run(config, seed, tmp_path / config / f'seed{seed}')

    return run_of


def test_markdown_of_table_v(tmp_path, root):
    rows = results(TABLES['V'].cells[:3], hand_made(tmp_path), [0, 1, 2], root / 'configs')
    # POD: 94 and 93, mean 93.5, sample standard deviation 1/sqrt(2); best epochs 95 and 93. The paper has 94.31.
    assert markdown('V', rows) == (
        '### Table V: Accuracy (%) of Cosine Loss and POD Loss\n'
        '\n'
        '| row | column | paper | measured, last epoch | difference | best epoch | seeds | config |\n'
        '|---|---|---|---|---|---|---|---|\n'
        '| CIFAR-10 | Cosine Loss | 93.83 | 90.00 | -3.83 | 90.00 | 0 (missing: 1, 2) | `cosine_resnet50_cifar10` |\n'
        '| CIFAR-10 | POD Loss | 94.31 | 93.50 ± 0.71 [1] | -0.81 | 94.00 ± 1.41 | 0, 1 (missing: 2) '
        '| `pod_resnet50_cifar10` |\n'
        '| CIFAR-100 | Cosine Loss | 76.23 | - | - | - | - | `cosine_resnet50_cifar100` |\n'
        '\n'
        '[1] a.b=1\n'
    )


def test_both_readings_of_table_iv(tmp_path, root):
    rows = results(TABLES['IV'].cells, hand_made(tmp_path), [0], root / 'configs')
    first, second = markdown('IV', rows).splitlines()[-2:]
    end = '| - | 0 | `pod_resnet50_cifar10` |'
    assert first == f'| POD Loss | Variance (eigenvalue variance e8) | 1.53 | 2500.00 | +2498.47 {end}'
    assert second == f'| POD Loss | Variance (energy variance e8) | 1.53 | 1.50 | -0.03 {end}'


def test_settings_come_from_the_config(root):
    cells = [cell for cell in TABLES['II'].cells if cell.config == 'pod_resnet50_imagenet500']
    rows = results(cells, None, [0], root / 'configs')
    assert [row.values for row in rows] == [[500], [1024]]
    assert '| ImageNet(500) | Feature Dimension | 1024 | 1024 | - | - | - | `pod_resnet50_imagenet500` |' in markdown(
        'II', rows
    )


def test_csv(tmp_path):
    cell = Cell('a, b', 'c', 'leaf', 1.5)
    write_csv(
        {'V': [Result(cell, 'accuracy/top1', [0, 2], [1.25, 1.75], [2.0, 3.0], [1], ['x=1'])]}, tmp_path / 'r.csv'
    )
    assert (tmp_path / 'r.csv').read_text().splitlines() == [
        'table,row,column,metric,config,paper,seeds,last_epoch,best_epoch,options',
        'V,"a, b",c,accuracy/top1,leaf,1.5,0;2,1.25;1.75,2.0;3.0,x=1',
    ]


def test_whole_report_draws_what_there_is(tmp_path, root):
    run_of = hand_made(tmp_path)
    text, written = write_report(tmp_path / 'report', select([]), run_of, [0, 1], root / 'configs')
    names = {path.name for path in written}
    assert names == {'tables.md', 'tables.csv', 'fig3.png', 'fig4.png', 'gram.png', 'dimension.png', 'sc_weight.png'}
    assert all(path.stat().st_size > 1000 for path in written)
    assert text == (tmp_path / 'report' / 'tables.md').read_text()
    assert text.count('### ') == len(TABLES) and {'fig5', 'fig6'} < set(FIGURES)


def test_listing_shows_the_states(tmp_path):
    lines = listing(select(['V']), hand_made(tmp_path), [0, 1]).splitlines()
    assert lines[0] == 'Table V: Accuracy (%) of Cosine Loss and POD Loss'
    assert lines[1] == (
        '  CIFAR-10 | Cosine Loss | cosine_resnet50_cifar10 | CIFAR-10 | seeds 0 done 90.00; 1 failed: ValueError: no'
    )
    assert lines[3] == '  CIFAR-100 | Cosine Loss | cosine_resnet50_cifar100 | CIFAR-100 | seeds 0 1 not run'


def test_derivatives_are_those_of_fig_3_and_4():
    """sin(90) = 1; 2 (1 - cos 120) sin 120 = 3 sqrt(3) / 2, the greatest."""
    import torch
    from torch.testing import assert_close

    degrees = torch.arange(181)
    sine, product = derivative(1, degrees), derivative(2, degrees)
    assert_close(sine[90], torch.tensor(1.0, dtype=torch.float64))
    assert_close(product[120], torch.tensor(27**0.5 / 2, dtype=torch.float64))
    assert int(sine.argmax()) == 90 and int(product.argmax()) == 120
