"""Tables in documents: against numbers worked by hand, and the committed ones against the committed logs."""

import json

import pytest

from mmpod.experiments.documents import refresh, result_table


def write_run(folder, config, seed, accuracies, finished=True):
    path = folder / config / f'seed{seed}'
    (path / 'x' / 'vis_data').mkdir(parents=True)
    lines = [json.dumps({'accuracy/top1': accuracy, 'step': epoch}) for epoch, accuracy in enumerate(accuracies, 1)]
    (path / 'x' / 'vis_data' / 'scalars.json').write_text('\n'.join(lines))
    (path / 'metrics.json').write_text(json.dumps({'accuracy/top1': accuracies[-1]}))
    (path / 'run.json').write_text(json.dumps(dict(finished=finished)))


def test_rows_by_hand(tmp_path):
    write_run(tmp_path, 'pod_resnet18w8_digits', 0, [50.0, 82.0, 95.0, 90.0])
    write_run(tmp_path, 'pod_resnet18w8_digits', 2, [82.0, 80.0, 70.0, 92.0])
    write_run(tmp_path, 'softmax_resnet18w8_digits', 0, [80.0, 81.0], finished=False)
    lines = result_table('digits', tmp_path).splitlines()
    assert lines[0].startswith('| loss | last epoch')
    # 90 % of 90 is 81, reached in epoch 2; 90 % of 92 is 82.8, in epoch 4. Best: 95 and 92.
    assert lines[2:] == ['| POD Loss | 91.00 ± 1.41 | 93.50 ± 2.12 | 3.0 | 0, 2 |']


def test_several_metrics_are_columns_by_hand(tmp_path):
    """The second seed lacks one of them, so it does not count."""
    for seed, metrics in enumerate(
        [
            {'spectrum/eigenvalue_variance_e8': 2000, 'spectrum/energy_variance_e8': 3, 'spectrum/effective_rank': 7},
            {'spectrum/eigenvalue_variance_e8': 9, 'spectrum/energy_variance_e8': 9},
            {'spectrum/eigenvalue_variance_e8': 4000, 'spectrum/energy_variance_e8': 5, 'spectrum/effective_rank': 8},
        ]
    ):
        write_run(tmp_path, 'pod_resnet18w8_cifar10_10k_tuned', seed, [1.0])
        (tmp_path / f'pod_resnet18w8_cifar10_10k_tuned/seed{seed}/metrics.json').write_text(json.dumps(metrics))
    assert result_table('small_spectrum', tmp_path).splitlines() == [
        '| loss | eigenvalue variance e8 | energy variance e8 | effective rank | seeds |',
        '|---|---|---|---|---|',
        '| POD Loss | 3000 ± 1414 | 4.00 ± 1.41 | 7.50 ± 0.71 | 0, 2 |',
    ]


def test_epochs_are_columns_by_hand(tmp_path):
    write_run(tmp_path, 'pod_resnet18w8_digits', 0, [50.0, 82.0, 95.0])
    write_run(tmp_path, 'pod_resnet18w8_digits', 1, [52.0, 80.0, 95.0])
    assert result_table('digits', tmp_path, [1, 3]).splitlines() == [
        '| loss | epoch 1, % | epoch 3, % | seeds |',
        '|---|---|---|---|',
        '| POD Loss | 51.00 ± 1.41 | 95.00 ± 0.00 | 0, 1 |',
    ]
    page = tmp_path / 'page.md'
    page.write_text('<!-- table digits after epochs 3 2 from . -->\n<!-- end of table -->\n')
    assert refresh(page) and '| POD Loss | 95.00 ± 0.00 | 81.00 ± 1.41 | 0, 1 |' in page.read_text()
    with pytest.raises(ValueError, match=r'pod_resnet18w8_digits, seed 0, .* not after \[4\]. Name .* log: 1, 2, 3'):
        result_table('digits', tmp_path, [1, 4])


def test_only_the_blocks_change(tmp_path):
    write_run(tmp_path / 'logs', 'pod_resnet18w8_digits', 0, [50.0])
    page = tmp_path / 'docs' / 'page.md'
    page.parent.mkdir()
    block = '<!-- table digits from logs -->\n{}<!-- end of table -->\n'
    page.write_text('above\n' + block.format('old\n') + 'between\n' + block.format('') + 'below\n')
    assert refresh(page) and not refresh(page)
    table = block.format(result_table('digits', tmp_path / 'logs'))
    assert page.read_text() == f'above\n{table}between\n{table}below\n' and '| POD Loss | 50.00 |' in table


def test_a_table_that_a_tool_has_written_is_included(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text(text := 'above\n<!-- table runs/table.md -->\nold\n<!-- end of table -->\nbelow\n')
    with pytest.raises(FileNotFoundError, match='runs/table.md'):
        refresh(page)
    (tmp_path / 'runs').mkdir()
    (tmp_path / 'runs/table.md').write_text('| a |\n|---|\n')
    assert refresh(page) and not refresh(page)
    assert page.read_text() == text.replace('old\n', '| a |\n|---|\n')


@pytest.mark.parametrize(
    'words', ['nonsense from logs', 'digits from nowhere', 'II from logs', 'digits after epoch 3 from logs']
)
def test_faulty_blocks_are_named(tmp_path, words):
    (tmp_path / 'logs').mkdir()
    page = tmp_path / 'page.md'
    page.write_text(text := f'<!-- table {words} -->\n<!-- end of table -->\n')
    with pytest.raises(ValueError, match=words):
        refresh(page)
    assert page.read_text() == text


def test_a_block_without_an_end_takes_nothing_with_it(tmp_path):
    (tmp_path / 'logs').mkdir()
    page = tmp_path / 'page.md'
    block = '<!-- table digits from logs -->\n'
    page.write_text(text := f'{block}old\n\nprose\n\n{block}<!-- end of table -->\n')
    with pytest.raises(ValueError, match='with its own `<!-- end of table -->`'):
        refresh(page)
    assert page.read_text() == text


def test_folders_that_are_no_seeds_are_passed_over(tmp_path):
    write_run(tmp_path, 'pod_resnet18w8_digits', 0, [50.0])
    (tmp_path / 'pod_resnet18w8_digits' / 'seed0_old').mkdir()
    assert '| POD Loss | 50.00 |' in result_table('digits', tmp_path)


@pytest.mark.parametrize('name', ['README.md', 'docs/results.md'])
def test_committed_tables_are_those_of_the_logs(root, name):
    text = (root / name).read_text()
    assert '<!-- table ' in text
    try:
        assert not refresh(root / name), f'{name} was out of date: run tools/experiments.py refresh'
    finally:
        (root / name).write_text(text)
