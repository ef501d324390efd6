"""Arguments of the command lines, and which metric counts."""

from pathlib import Path

import pytest
from helpers import write_log

from mmpod.experiments.arguments import queue_parser
from mmpod.experiments.make_runs import trained_configs
from mmpod.experiments.metrics import number_format, unit
from mmpod.experiments.run_files import Run, choose_metric, default_metric


@pytest.mark.parametrize(
    'words, options',
    [
        ([], []),
        (['--fast'], ['fast=True']),
        (['--fast', '--cfg-options', 'a=1', 'b=2'], ['fast=True', 'a=1', 'b=2']),
        (['--cfg-options', 'a=1', '--fast', '--cfg-options', 'b=2'], ['a=1', 'fast=True', 'b=2']),
    ],
)
def test_the_fast_path_is_one_of_the_overrides(words, options):
    assert queue_parser().parse_args(words).cfg_options == options


def test_gaussians_evaluate_the_training_beside_them():
    paths = {name: Path(f'losses/{name}.py') for name in ('pod_x', 'gda_pod_x', 'cosine_x', 'gda_y')}
    assert trained_configs([*paths.values()]) == {paths['gda_pod_x']: paths['pod_x']}
    shipped = [Path('configs/small/gda_digits.py'), Path('configs/small/pod_digits.py')]
    assert trained_configs(shipped) == {shipped[0]: shipped[1]}
    with pytest.raises(ValueError, match='Expected pod_digits among the configs, because gda_digits evaluates it'):
        trained_configs(shipped[:1])


@pytest.mark.parametrize(
    'entries, metric',
    [
        ([{'geometry/nc1': 1.0, 'accuracy/top1': 50.0, 'step': 1}], 'accuracy/top1'),
        ([{'time': 0.1, 'recall': [1.0, 2.0], 'mine/error': 0.5, 'mine/other': 0.1, 'step': 1}], 'mine/error'),
        ([], 'accuracy/top1'),
    ],
)
def test_the_metric_is_accuracy_or_the_first_number_in_the_logs(entries, metric, tmp_path):
    write_log(tmp_path, *entries)
    assert default_metric([Run('a', 0, tmp_path)]) == metric


def test_a_metric_that_no_run_has_is_refused_with_those_they_have(tmp_path):
    write_log(tmp_path, {'accuracy/top1': 50.0, 'geometry/nc1': 1.0, 'step': 1})
    run = Run('a', 0, tmp_path)
    assert choose_metric([run]) == 'accuracy/top1' and choose_metric([run], 'geometry/nc1') == 'geometry/nc1'
    with pytest.raises(ValueError, match='report acuracy/top1, but they report accuracy/top1, geometry/nc1.*--metric'):
        choose_metric([run], 'acuracy/top1')


def test_percentages_and_other_numbers():
    assert (unit('accuracy/top1'), number_format('accuracy/top1')) == (', %', '.2f')
    assert (unit('geometry/nc1'), number_format('geometry/nc1')) == ('', '.4g')
