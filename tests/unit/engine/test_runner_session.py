"""Runs of one process keep apart; what a session adds to a config is tested where it matters, through the tools."""

import time

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub

import mmpod
from mmpod.engine.runner_session import runner_session


def test_runs_of_one_second_do_not_share_a_log(tmp_path, monkeypatch):
    monkeypatch.setattr(time, 'strftime', lambda *args: '20260101_000000')  # what MMEngine names runs by
    names = []
    for number in range(2):
        cfg = Config.fromfile(mmpod.config_file('small/pod_digits'))
        cfg.merge_from_dict(dict(work_dir=str(tmp_path), log_level='ERROR'))
        with runner_session(cfg) as runner:
            names.append(runner.experiment_name)
            assert 'mark' not in runner.message_hub.runtime_info
            runner.message_hub.update_info('mark', number)
            assert MessageHub.get_current_instance() is runner.message_hub
    assert names[0] == names[1]


@pytest.mark.parametrize('saved, expected', [(False, (False, 'start.pth')), (True, (True, 'epoch_1.pth'))])
def test_a_run_that_may_resume_starts_from_load_from_until_it_has_a_checkpoint(saved, expected, tmp_path):
    torch.save({}, tmp_path / 'start.pth')
    if saved:
        torch.save({}, tmp_path / 'epoch_1.pth')
    cfg = Config.fromfile(mmpod.config_file('small/pod_digits'))
    cfg.merge_from_dict(dict(work_dir=str(tmp_path), log_level='ERROR', load_from=str(tmp_path / 'start.pth')))
    cfg.resume = 'auto'
    with runner_session(cfg) as runner:
        assert (runner._resume, runner._load_from) == (expected[0], str(tmp_path / expected[1]))
