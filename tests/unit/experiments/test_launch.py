"""What is refused or said before runs start; run.json files stand for the runs."""

import pytest
from mmengine.config import Config

from mmpod.engine.loaders import check_total_batch
from mmpod.engine.runner_session import runner_session
from mmpod.experiments.arguments import check_seeds, parse_runs
from mmpod.experiments.comparison import summary_table
from mmpod.experiments.launch import Plan, format_option_mismatches, plan_run, skip_if_done
from mmpod.experiments.launcher import Launcher
from mmpod.experiments.queue import run_all
from mmpod.experiments.rehearsal import NOTE, require_rehearsals
from mmpod.experiments.run import Run

DIGITS = 'configs/pod_resnet18w8_digits.py'


def made(tmp_path, options, finished=True):
    run = Run('a', 0, tmp_path / 'a')
    run.save(dict(finished=finished, options=options, wall_s=1.0))
    return run


@pytest.mark.parametrize(
    'option, words', [('nonsense', 'KEY=VALUE'), ('=1', 'KEY=VALUE'), ('randomness.seed=5', 'Expected --seeds')]
)
def test_faulty_options_are_refused(option, words, root, tmp_path):
    with pytest.raises(ValueError, match=words):
        plan_run(root / DIGITS, Run('a', 0, tmp_path), Launcher(), [option])


@pytest.mark.parametrize(
    'text, missing',
    [
        ('val_cfg = val_dataloader = val_evaluator = None\n', 'val_dataloader, val_evaluator'),
        ("train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=9)\n", 'train_cfg.max_epochs'),
        (None, 'train_dataloader, train_cfg'),
    ],
)
def test_configs_that_cannot_be_compared_are_refused_before_training(text, missing, root, tmp_path):
    config = tmp_path / 'config.py'
    config.write_text(f"_base_ = ['{root / DIGITS}']\n{text}" if text else 'model = dict()\n')
    with pytest.raises(ValueError, match=f'has no {missing}'):
        plan_run(config, Run('config', 0, tmp_path / 'run'), Launcher(), [])


def test_a_run_with_other_options_says_so(tmp_path, capsys):
    run = made(tmp_path, ['lr=1', 'x=2'])
    assert skip_if_done(run, ['x=2', 'lr=1']) and 'with' not in capsys.readouterr().out.rpartition('/')[2]
    assert skip_if_done(run, ['lr=3', 'x=2'])
    assert capsys.readouterr().out.endswith('/a, with lr=1, not lr=3\n')
    note = '\n\nMade with other options than the command has:\n\n- a: lr=1'
    assert format_option_mismatches([(run, ['x=2']), (run, ['x=2'])]) == note
    assert format_option_mismatches([(run, ['x=2', 'lr=1'])]) == ''
    assert not skip_if_done(Run('a', 1, tmp_path / 'b'), [])


def test_a_run_without_accuracy_has_none_in_the_table(tmp_path):
    assert '| a | 0 | - | - | - | 1 |' in summary_table([made(tmp_path, [])], 90)


def test_a_run_that_another_process_has_made_meanwhile_is_not_repeated(tmp_path, capsys):
    run = made(tmp_path, [], finished=False)
    plan = Plan(run, [['sh', '-c', 'echo again']], 1)
    run.save(dict(finished=True, wall_s=3600.0))
    assert run_all([plan], 1, Launcher()) == [] and run.record['wall_s'] == 3600.0
    assert 'another process has made it' in capsys.readouterr().out and run.acquire() is not None


def test_real_runs_are_not_rehearsed_over(tmp_path):
    rehearsed, other = made(tmp_path, [NOTE]), Run('b', 0, tmp_path / 'b')
    require_rehearsals([rehearsed, other])
    for record in (dict(options=[]), dict(finished=True)):
        rehearsed.save(record)
        with pytest.raises(ValueError, match='Choose another --work-dir'):
            require_rehearsals([rehearsed])
    other.work_dir.mkdir()
    (other.work_dir / 'epoch_1.pth').touch()
    with pytest.raises(ValueError, match=str(other.work_dir)):
        require_rehearsals([other])


@pytest.mark.parametrize('seeds', [['0', '0'], ['-1'], ['4294967296']])
def test_seeds_are_different_and_in_range(seeds, root, monkeypatch, capsys):
    monkeypatch.setattr('sys.argv', ['compare.py', str(root / DIGITS), '--seeds', *seeds])
    with pytest.raises(SystemExit):
        parse_runs('', 'work_dirs', lambda parser: None)
    assert 'Expected --seeds to be different integers from 0 to 4294967295' in capsys.readouterr().err


def test_sections_that_are_none_are_none(root, tmp_path):
    cfg = Config.fromfile(root / DIGITS)
    cfg.merge_from_dict({key: None for key in ('train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler')})
    cfg.merge_from_dict(dict(default_hooks=None, auto_scale_lr=None, work_dir=str(tmp_path)))
    with runner_session(cfg) as runner:
        check_total_batch(cfg)
        assert runner.test()['accuracy/top1'] >= 0
        assert {type(hook).__name__ for hook in runner.hooks} >= {'PlainCheckpointHook', 'EpochSeedHook'}


def test_largest_seed_is_one():
    check_seeds(None, [0, 2**32 - 1])


def test_what_is_no_config_is_named(root, monkeypatch, capsys):
    monkeypatch.setattr('sys.argv', ['compare.py', str(root / 'README.md')])
    with pytest.raises(SystemExit):
        parse_runs('', 'work_dirs', lambda parser: None)
    assert 'README.md` to end in .py' in capsys.readouterr().err
