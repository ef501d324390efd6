"""Which metric counts, found without training."""

import argparse
from pathlib import Path

import pytest

from mmpod.experiments.arguments import choose_metric, queue_parser, reported_metrics, trained_configs
from mmpod.experiments.run import number_format, unit
from mmpod.experiments.settings import resolve

DIGITS = 'configs/small/pod_digits.py'


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
    parser = argparse.ArgumentParser()
    paths = {name: Path(f'losses/{name}.py') for name in ('pod_x', 'gda_pod_x', 'cosine_x', 'gda_y')}
    assert trained_configs(parser, [*paths.values()]) == {paths['gda_pod_x']: paths['pod_x']}
    shipped = [Path('configs/small/gda_digits.py'), Path('configs/small/pod_digits.py')]
    assert trained_configs(parser, shipped) == {shipped[0]: shipped[1]}
    with pytest.raises(SystemExit):
        trained_configs(parser, shipped[:1])


@pytest.mark.parametrize(
    'options, names',
    [
        ([], ['accuracy/top1']),
        (['val_evaluator.topk=(1,3)'], ['accuracy/top1', 'accuracy/top3']),
        (['val_evaluator.prefix=mine'], ['mine/top1']),
        (
            ['val_evaluator._delete_=True', 'val_evaluator.type=SingleLabelMetric'],
            ['single-label/precision', 'single-label/recall', 'single-label/f1-score'],
        ),
        (['val_evaluator._delete_=True', 'val_evaluator.type=ConfusionMatrix'], []),
    ],
)
def test_what_an_evaluator_reports_is_known_before_training(options, names, root):
    assert reported_metrics(resolve(root / DIGITS, options)) == (names, True)


def test_the_geometry_counts_where_it_is_logged(root):
    names, _ = reported_metrics(resolve(root / DIGITS, ['default_hooks.features.geometry=True']))
    assert names[0] == 'accuracy/top1' and 'geometry/nc1' in names


def test_the_first_metric_is_the_default(root):
    configs = [root / DIGITS, root / 'configs/small/softmax_digits.py']
    assert choose_metric(configs, ['val_evaluator.topk=(3,1)']) == 'accuracy/top3'
    assert choose_metric(configs, ['val_evaluator.topk=(3,1)'], 'accuracy/top1') == 'accuracy/top1'


@pytest.mark.parametrize(
    'options, asked, words',
    [
        ([], 'acuracy/top1', 'Did you mean accuracy/top1'),
        ([], 'accuracy/top5', 'reports in validation, accuracy/top1, but got accuracy/top5'),
        (['val_evaluator=None'], None, 'it reports none'),
        (['val_evaluator._delete_=True', 'val_evaluator.type=mmpod.FeatureSpectrum'], None, 'Use --metric'),
    ],
)
def test_a_missing_or_misspelt_metric_is_refused(options, asked, words, root):
    with pytest.raises(ValueError, match=words):
        choose_metric([root / DIGITS], options, asked)


def test_a_metric_that_cannot_be_known_is_taken_at_its_word(root):
    options = ['val_evaluator._delete_=True', 'val_evaluator.type=mmpod.FeatureSpectrum']
    assert choose_metric([root / DIGITS], options, 'spectrum/effective_rank') == 'spectrum/effective_rank'


def test_percentages_and_other_numbers():
    assert (unit('accuracy/top1'), number_format('accuracy/top1')) == (', %', '.2f')
    assert (unit('geometry/nc1'), number_format('geometry/nc1')) == ('', '.4g')
