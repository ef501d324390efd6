"""What tools/tune.py says before it trains."""

import runpy

import pytest
from helpers import write_log

from mmpod.experiments.run_files import Run

HELD_OUT = ['val_dataloader.dataset.split=train', 'val_dataloader.dataset.indices=-297']
DISJOINT = ['val_dataloader.dataset.indices=[0,1]', 'test_dataloader.dataset.indices=[2,3]']


@pytest.mark.parametrize('options, warned', [([], True), (HELD_OUT, False), (HELD_OUT[1:], True), (DISJOINT, False)])
def test_trials_judged_on_the_test_set_are_warned_of(options, warned, root, capsys):
    warn = runpy.run_path(str(root / 'tools/tune.py'))['warn_of_seen_images']
    warn(root / 'configs/small/pod_digits.py', options)
    assert ('val_dataloader reads the test set' in capsys.readouterr().err) == warned


INDICES, PER_CLASS = 'train_dataloader.dataset.indices=1000', 'train_dataloader.dataset.samples_per_class=60'
CIFAR = ['val_dataloader.dataset.split=train', 'val_dataloader.dataset.samples_per_class=30']


@pytest.mark.parametrize(
    'config, options, warned',
    [
        ('pod_digits', [INDICES, *HELD_OUT], False),
        ('pod_digits', HELD_OUT, True),  # of all that are trained on
        ('pod_digits', [INDICES, HELD_OUT[0], 'val_dataloader.dataset.indices=297'], True),
        ('pod_cifar10_10k', [PER_CLASS, *CIFAR, 'val_dataloader.dataset.skip_per_class=60'], False),
        ('pod_cifar10_10k', [PER_CLASS, *CIFAR, 'val_dataloader.dataset.skip_per_class=50'], True),
        ('pod_cifar10_10k', [PER_CLASS, *CIFAR], True),
    ],
)
def test_trials_judged_on_training_images_are_warned_of(config, options, warned, root, capsys):
    warn = runpy.run_path(str(root / 'tools/tune.py'))['warn_of_seen_images']
    warn(root / f'configs/small/{config}.py', options)
    assert ('val_dataloader reads images that are trained on' in capsys.readouterr().err) == warned


def test_folds_of_one_dataset_are_not_warned_of(root, tmp_path, capsys):
    path = tmp_path / 'folds.py'
    digits = "dataset=dict(type='mmpod.SklearnDigits')"
    fold = f"dataset=dict(_delete_=True, type='KFoldDataset', fold=0, num_splits=5, {digits}, "
    path.write_text(
        f"_base_ = '{root / 'configs/small/pod_digits.py'}'\n"
        f'train_dataloader = dict({fold}test_mode=False))\nval_dataloader = dict({fold}test_mode=True))\n'
    )
    runpy.run_path(str(root / 'tools/tune.py'))['warn_of_seen_images'](path, [])
    assert capsys.readouterr().err == ''


def test_what_differs_between_the_configs_is_said(root, tmp_path, capsys, monkeypatch):
    main = runpy.run_path(str(root / 'tools/tune.py'))['main']
    configs = [root / f'configs/small/{name}_digits.py' for name in ('pod', 'softmax')]

    def made(args, trials):
        runs = [Run(path.stem, 0, tmp_path / path.stem, trials[0].name) for path in configs]
        for epochs, run in enumerate(runs, 1):
            write_log(run.work_dir, {'accuracy/top1': 90.0, 'step': epochs})
            run.save(dict(config=dict(train_cfg=dict(max_epochs=epochs)), finished=True))
        return runs, []

    monkeypatch.setitem(main.__globals__, 'make_runs', made)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('sys.argv', ['tune.py', *map(str, configs), '--grid', 'optim_wrapper.optimizer.lr=0.1'])
    main()
    assert 'but also in train_cfg.max_epochs (1, 2), last epoch (1, 2).' in capsys.readouterr().out
