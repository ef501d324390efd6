"""What is refused or said before runs start; run.json files stand for the runs."""

import argparse
from dataclasses import replace

import pytest
from helpers import write_log
from mmengine.config import Config

from mmpod.engine.loaders import check_total_batch
from mmpod.engine.runner_session import runner_session
from mmpod.experiments.arguments import check_arguments, runs_parser
from mmpod.experiments.launcher import Launcher
from mmpod.experiments.queue import run_all
from mmpod.experiments.run_files import Run
from mmpod.experiments.run_plan import Plan, plan_run

DIGITS = 'configs/small/pod_digits.py'


SMALL = """
model = dict(head=dict(feat_dim=9))
train_dataloader = val_dataloader = dict(batch_size=64)
train_cfg = dict(by_epoch=True, max_epochs=15)
val_evaluator = dict(type='Accuracy')
optim_wrapper = dict(optimizer=dict(lr=0.1))
"""


@pytest.fixture
def config(tmp_path):
    """Return a function that writes a variant of a small config, each a file of its own name."""

    def write(name, text=''):
        path = tmp_path / f'{name}.py'
        path.write_text(SMALL + text)
        return path

    return write


@pytest.mark.parametrize(
    'text, missing',
    [
        ('val_dataloader = val_evaluator = None\n', 'val_dataloader, val_evaluator'),
        ("train_cfg = dict(type='IterBasedTrainLoop', max_iters=9)\n", 'train_cfg.max_epochs'),
        ('train_dataloader = train_cfg = None\n', 'train_dataloader, train_cfg'),
    ],
)
def test_configs_that_cannot_be_compared_are_refused_before_training(text, missing, config, tmp_path):
    with pytest.raises(ValueError, match=f'has no {missing}'):
        plan_run(config('c', text), Run('c', 0, tmp_path / 'run'), Launcher(), [])


def test_an_evaluation_of_an_earlier_training_is_refused(config, tmp_path):
    trained, evaluated = (Run(name, 0, tmp_path / name) for name in ('c', 'gda_c'))

    def plan(*source):
        return plan_run(config('gda_c'), evaluated, Launcher(), [], source=(config(*source), trained))

    evaluated.save(dict(plan('c').details, finished=True))
    assert plan('c') is None
    with pytest.raises(ValueError, match='gda_c seed 0 to have evaluated edited as it is now, .*Move that folder away'):
        plan('edited', 'optim_wrapper = dict(optimizer=dict(lr=0.2))\n')


def test_processes_divide_the_total_batch(config, tmp_path):
    run = Run('c', 0, tmp_path / 'run')
    assert plan_run(config('c'), run, Launcher(2), []).commands[0][-1] == 'train_dataloader.batch_size=32'
    with pytest.raises(ValueError, match='--processes to divide the total batch of c, 64, but got 3'):
        plan_run(config('c'), run, Launcher(3), [])


def test_the_record_holds_the_settings_and_their_hash(config, tmp_path):
    first, second = (
        plan_run(config('first'), Run('first', seed, tmp_path / str(seed)), Launcher(), ['train_cfg.max_epochs=2'])
        for seed in (0, 1)
    )
    assert first.details['config']['train_cfg']['max_epochs'] == 2 and first.details['config_hash']
    assert first.details['config']['randomness']['seed'] == 0
    assert first.details['config_hash'] != second.details['config_hash']  # the seed is part of a run


@pytest.mark.parametrize('finished, word', [(True, 'made'), (False, 'started')])
def test_a_run_whose_config_has_changed_is_neither_counted_nor_continued(finished, word, config, tmp_path):
    run = Run('c', 0, tmp_path / 'run')
    plan = plan_run(config('before'), run, Launcher(), [])
    run.save(dict(plan.details, finished=finished, wall_s=1.0))
    (run.work_dir / 'epoch_1.pth').touch()
    edited = config('after', 'optim_wrapper = dict(optimizer=dict(lr=0.25))\n')
    expected = f'run was {word} with, .* optim_wrapper.optimizer.lr: 0.1 -> 0.25. .* another --work-dir, or move'
    with pytest.raises(ValueError, match=expected):
        plan_run(edited, run, Launcher(), [])
    with pytest.raises(ValueError, match='train_cfg.max_epochs: 15 -> 3'):
        plan_run(config('before'), run, Launcher(), ['train_cfg.max_epochs=3'])
    same = config('same', '# a comment\noptim_wrapper=dict( optimizer=dict(lr=1e-1) )\n')
    assert (plan_run(same, run, Launcher(), []) is None) == finished


def test_a_config_that_changes_before_its_run_starts_is_not_trained(config, tmp_path, capsys):
    path = config('c')
    plan = plan_run(path, Run('c', 0, tmp_path / 'run'), Launcher(), ['train_cfg.max_epochs=2'])
    assert plan.blocked_reason == ''
    config('c', 'optim_wrapper = dict(optimizer=dict(lr=0.25))\n')
    assert run_all([plan], 1, Launcher()) == [plan.run] and plan.run.state == 'not run'
    assert 'has changed since this command started' in capsys.readouterr().out


def test_a_failed_start_that_saved_nothing_may_be_repaired(config, tmp_path):
    run = Run('c', 0, tmp_path / 'run')
    plan = plan_run(config('broken', 'model = dict(head=dict(feat_dim=2))\n'), run, Launcher(), [])
    run.save(dict(plan.details, finished=False, failed='ValueError', wall_s=1.0))
    assert plan_run(config('repaired'), run, Launcher(), []).details['config_hash'] != plan.details['config_hash']


@pytest.mark.parametrize('changed', [True, False])
def test_a_start_with_other_settings_keeps_neither_curve_nor_time_of_the_earlier_one(changed, config, tmp_path):
    run = Run('c', 0, tmp_path / 'run')
    run.save(dict(plan_run(config('before'), run, Launcher(), []).details, finished=False, wall_s=1000.0))
    write_log(run.work_dir, {'accuracy/top1': 99.5, 'step': 5})
    options = ['train_cfg.max_epochs=2'] if changed else []
    plan = replace(plan_run(config('before'), run, Launcher(), options), commands=[['true']])
    assert run_all([plan], 1, Launcher()) == [] and run.state == 'done'
    assert run.curve() == ({} if changed else {5: 99.5})
    assert (run.record['wall_s'] > 999) != changed


def parse(*words):
    parser = argparse.ArgumentParser(parents=[runs_parser('work_dirs')])
    check_arguments(parser, parser.parse_args([str(word) for word in words]))


@pytest.mark.parametrize('seeds', [['0', '0'], ['-1'], ['4294967296']])
def test_seeds_are_different_and_in_range(seeds, root, capsys):
    with pytest.raises(SystemExit):
        parse(root / DIGITS, '--seeds', *seeds)
    assert 'Expected --seeds to be different integers from 0 to 4294967295' in capsys.readouterr().err
    parse(root / DIGITS, '--seeds', '0', '4294967295')


def test_a_run_that_another_process_has_made_meanwhile_is_not_repeated(tmp_path, capsys):
    run = Run('a', 0, tmp_path / 'a')
    plan = Plan(run, [['sh', '-c', 'echo again']], 1)
    run.save(dict(finished=True, wall_s=3600.0))
    assert run_all([plan], 1, Launcher()) == [] and run.record['wall_s'] == 3600.0
    assert 'already finished' in capsys.readouterr().out and run.acquire() is not None


@pytest.mark.parametrize('finished, word', [(True, 'made'), (False, 'started')])
def test_a_run_that_another_command_made_with_other_settings_meanwhile_is_left(
    finished, word, config, tmp_path, capsys
):
    run = Run('c', 0, tmp_path / 'run')
    plan = plan_run(config('c'), run, Launcher(), [])
    other = plan_run(config('c'), run, Launcher(), ['train_cfg.max_epochs=3'])
    run.save(dict(other.details, finished=finished, wall_s=1.0))
    (run.work_dir / 'epoch_1.pth').touch()
    record = run.record
    assert run_all([replace(plan, commands=[['true']])], 1, Launcher()) == [run] and run.record == record
    assert f'run was {word} with, but they have changed since' in capsys.readouterr().err


def test_sections_that_are_none_are_none(root, tmp_path):
    cfg = Config.fromfile(root / DIGITS)
    cfg.merge_from_dict({key: None for key in ('train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler')})
    cfg.merge_from_dict(dict(default_hooks=None, auto_scale_lr=None, work_dir=str(tmp_path)))
    with runner_session(cfg) as runner:
        check_total_batch(cfg, runner.model)
        assert runner.test()['accuracy/top1'] >= 0
        assert {type(hook).__name__ for hook in runner.hooks} >= {'PlainCheckpointHook', 'EpochSeedHook'}


@pytest.mark.parametrize('finished', [False, True])
def test_a_started_run_keeps_its_number_of_processes(finished, config, tmp_path):
    run = Run('c', 0, tmp_path / 'run')
    run.save(dict(plan_run(config('one'), run, Launcher(), []).details, finished=finished))
    plan_run(config('one'), run, Launcher(2), [])  # nothing is saved
    (run.work_dir / 'epoch_1.pth').touch()
    if finished:
        assert plan_run(config('one'), run, Launcher(2), []) is None
    else:
        with pytest.raises(ValueError, match='--processes 1, with which c seed 0 was started, but got 2'):
            plan_run(config('one'), run, Launcher(2), [])


def test_checkpoints_of_unknown_settings_are_not_continued(config, tmp_path):
    run = Run('c', 0, tmp_path / 'run')
    run.work_dir.mkdir()
    (run.work_dir / 'epoch_1.pth').touch()
    with pytest.raises(ValueError, match='Expected run.json beside the checkpoints in .*move that folder away'):
        plan_run(config('one'), run, Launcher(), [])
