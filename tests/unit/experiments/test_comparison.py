"""The table against numbers worked by hand from logs written here."""

import json

from mmpod.experiments.comparison import geometry_table, summary_table
from mmpod.experiments.figures import plot_accuracy, plot_geometry
from mmpod.experiments.run import Run


def write_run(folder, name, seed, starts, wall_s):
    """`starts`: one {epoch: accuracy} for each start of the run; the log of the last one ends in a torn line."""
    for index, curve in enumerate(starts):
        path = folder / f'2026010{index}' / 'vis_data' / 'scalars.json'
        path.parent.mkdir(parents=True)
        lines = [json.dumps({'accuracy/top1': accuracy, 'step': epoch}) for epoch, accuracy in curve.items()]
        path.write_text('\n'.join([json.dumps({'loss': 1.0, 'step': 7}), *lines, '{"accuracy/to']))
    (folder / 'run.json').write_text(json.dumps(dict(finished=True, wall_s=wall_s)))
    return Run(name, seed, folder)


def test_resumed_epochs_count_once(tmp_path):
    run = write_run(tmp_path, 'a', 0, [{1: 10.0, 2: 20.0}, {2: 30.0, 3: 40.0}], 5)
    assert run.accuracies() == {1: 10.0, 2: 30.0, 3: 40.0}


def test_run_that_never_started(tmp_path):
    run = Run('a', 0, tmp_path / 'nowhere')
    assert run.accuracies() == {} and run.record == {}


def test_table(tmp_path):
    runs = [
        write_run(tmp_path / '0', 'a', 0, [{1: 50.0, 2: 90.0, 3: 80.0}], 10),
        write_run(tmp_path / '1', 'a', 1, [{1: 91.0, 2: 92.0, 3: 83.0}], 21),
        write_run(tmp_path / '2', 'b', 0, [{1: 50.0, 2: 60.0}], 3),
    ]
    rows = summary_table(runs, target=90).splitlines()
    assert 'epochs to 90 %' in rows[0]
    # Last epochs 80 and 83: mean 81.5, sample standard deviation 3 / sqrt(2); epochs to 90 %: 2 and 1.
    assert rows[2] == '| a | 0, 1 | 81.50 ± 2.12 | 91.00 ± 1.41 | 1.5 | 16 |'
    assert rows[3] == '| b | 0 | 60.00 | 60.00 | - | 3 |'
    plot_accuracy(runs, tmp_path / 'curves.png')
    assert (tmp_path / 'curves.png').stat().st_size > 10_000


def write_geometry(folder, name, seed, epochs):
    path = folder / '20260101' / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text(
        '\n'.join(
            json.dumps({'step': step, **{f'geometry/{metric}': value for metric, value in values.items()}})
            for step, values in enumerate(epochs, 1)
        )
    )
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
    rows = [[cell.strip() for cell in row.strip('|').split('|')] for row in geometry_table(runs).splitlines()]
    a, b = (dict(zip(rows[0], row)) for row in rows[2:])
    assert (a['run'], a['effective_rank'], a['within_between']) == ('a', '8.000 ± 1.414', '0.500 ± 0.000')
    assert a['target_cosine'] == '0.250 ± 0.000' and a['nc1'] == '-'
    assert (b['run'], b['effective_rank'], b['target_cosine']) == ('b', '5.000', '-')
    plot_geometry(runs, tmp_path / 'geometry.png')
    assert (tmp_path / 'geometry.png').stat().st_size > 10_000
