"""What tools/tune.py says before it trains."""

import runpy

import pytest

HELD_OUT = ['val_dataloader.dataset.split=train', 'val_dataloader.dataset.indices=-297']
DISJOINT = ['val_dataloader.dataset.indices=[0,1]', 'test_dataloader.dataset.indices=[2,3]']


@pytest.mark.parametrize('options, warned', [([], True), (HELD_OUT, False), (HELD_OUT[1:], True), (DISJOINT, False)])
def test_trials_judged_on_the_test_set_are_warned_of(options, warned, root, capsys):
    warn = runpy.run_path(str(root / 'tools/tune.py'))['warn_of_the_test_set']
    warn(root / 'configs/small/pod_digits.py', options)
    assert ('val_dataloader reads the test set' in capsys.readouterr().err) == warned
