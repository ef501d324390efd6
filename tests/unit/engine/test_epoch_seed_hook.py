import copy
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.hooks import CheckpointHook, EarlyStoppingHook
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch.utils.data import DataLoader, Dataset

from mmpod.engine import EpochSeedHook, ValidateOnResumeHook
from mmpod.engine.hooks import epoch_seed_hook


class Noise(Dataset):
    """Each item is a draw from each of the three generators."""

    def __len__(self):
        return 6

    def __getitem__(self, index):
        return random.random(), np.random.rand(), torch.rand(()).item()


def runner_of(num_workers=0, seed=5, epoch=0):
    loader = DataLoader(Noise(), batch_size=2, num_workers=num_workers)
    loader.sampler.seed = 1
    cfg = ConfigDict(train_dataloader=dict(sampler=dict(type='DefaultSampler')))
    return SimpleNamespace(
        seed=seed,
        epoch=epoch,
        iter=epoch * 3,
        train_dataloader=loader,
        cfg=cfg,
        train_loop=None,
        optim_wrapper=None,
        hooks=[],
        message_hub=MessageHub('test'),
        _randomness_cfg={},
    )


def numbers_of_epoch(runner, epoch):
    runner.epoch = epoch
    EpochSeedHook().before_train_epoch(runner)
    return [value for batch in runner.train_dataloader for draws in batch for value in draws.tolist()]


@pytest.mark.parametrize('num_workers', [0, 2])
def test_an_epoch_has_its_random_numbers_whatever_came_before(num_workers):
    runner = runner_of(num_workers)
    epochs = [numbers_of_epoch(runner, epoch) for epoch in range(3)]
    torch.rand(7), np.random.rand(7), random.random()  # a validation, say
    assert numbers_of_epoch(runner_of(num_workers), 2) == epochs[2]
    # No two samples, epochs, workers or seeds share a number.
    others = numbers_of_epoch(runner_of(num_workers, seed=6), 2)
    assert len(set(sum(epochs, others))) == 4 * 6 * 3


def test_what_the_config_starts_workers_with_still_runs():
    runner, hook, workers = runner_of(num_workers=2), EpochSeedHook(), []
    runner.train_dataloader.worker_init_fn = workers.append
    hook.before_train(runner)
    drawn = []
    for runner.epoch in range(2):
        hook.before_train_epoch(runner)
        runner.train_dataloader.worker_init_fn(1)
        drawn.append(random.random())
    assert workers == [1, 1]
    assert drawn[0] != drawn[1] == numbers_of_epoch(runner_of(num_workers=2), 1)[6]  # of the first sample of worker 1


def test_processes_differ(monkeypatch):
    first = numbers_of_epoch(runner_of(), 1)
    monkeypatch.setattr('mmpod.engine.hooks.epoch_seed_hook.get_rank', lambda: 1)
    assert not set(first) & set(numbers_of_epoch(runner_of(), 1))


def test_sampler_follows_the_seed_of_the_run_unless_it_has_its_own():
    for own, mixed, expected in (({}, False, 5), (dict(seed=1), False, 1), ({}, True, 1)):
        runner = runner_of()
        runner.cfg.train_dataloader.sampler.update(own)
        runner._randomness_cfg = dict(diff_rank_seed=mixed)
        EpochSeedHook().before_train(runner)
        assert runner.train_dataloader.sampler.seed == expected


def test_it_comes_after_the_validation_on_resume():
    """Which draws numbers of its own, before the first epoch of the resumed run."""
    runner, validated = runner_of(epoch=1), []
    runner.train_loop = object.__new__(EpochBasedTrainLoop)
    vars(runner.train_loop).update(dataloader=runner.train_dataloader, val_begin=1, val_interval=1)
    runner.val_loop = SimpleNamespace(run=lambda: validated.append((torch.rand(7), np.random.rand(7), random.random())))
    seed, validate = EpochSeedHook(), ValidateOnResumeHook()
    for hook in (seed, validate):
        hook.before_train(runner)
    assert len(validated) == 1
    for hook in (seed, validate):
        hook.before_train_epoch(runner)
    drawn = [value for batch in runner.train_dataloader for draws in batch for value in draws.tolist()]
    assert len(validated) == 1 and drawn == numbers_of_epoch(runner_of(), 1)


def by_iteration(runner, seed=None):
    runner.train_loop = object.__new__(IterBasedTrainLoop)
    runner.cfg.randomness = dict(seed=seed)
    return runner


def test_what_the_model_draws_in_an_iteration_is_its_own():
    """The data go on as if the model had drawn nothing; a validation changes neither."""

    def drawn(iterations, validate):
        hook, data, model = EpochSeedHook(), [], []
        hook.before_train_epoch(by_iteration(runner := runner_of()))
        for runner.iter in range(4):
            data.append(Noise()[0])
            if runner.iter in iterations:
                hook.before_train_iter(runner, runner.iter)
                model.append(Noise()[0])
                hook.after_train_iter(runner, runner.iter)
                if validate:
                    hook.before_val(runner)
                    Noise()[0]
                    hook.after_val(runner)
        return data, model

    data, model = drawn(range(4), validate=True)
    assert drawn(range(2, 4), validate=False) == (data, model[2:])
    assert len(set(sum(data + model, ()))) == 4 * 3 * 2


class SkippingIterator:
    """As that of onedl-mmengine, which skips samples without loading them."""

    def __init__(self):
        self.loaded = 0

    def __next__(self):
        self.loaded += 1

    def skip_iter(self, number):
        raise AssertionError('skipped')


def test_skipped_batches_are_loaded_and_so_draw_their_numbers():
    runner, iterator = runner_of(), SkippingIterator()
    by_iteration(runner, seed=5)
    runner.train_loop.dataloader_iterator = iterator
    EpochSeedHook().before_train(runner)
    iterator.skip_iter(3)
    assert iterator.loaded == 3


def reasons(monkeypatch, runner):
    said = []
    monkeypatch.setattr(epoch_seed_hook, 'print_log', lambda text, **_: said.append(text))
    EpochSeedHook().before_train(runner)
    return ''.join(said)


@pytest.mark.parametrize(
    'counts, interval, by_epoch, exact',
    [
        (2, 1, True, False),
        (2, 2, True, True),
        (3, 1, True, True),
        (3, 5, False, False),
        (3, 6, False, True),
        (2, -1, True, True),
    ],
)
def test_gradients_between_checkpoints(counts, interval, by_epoch, exact, monkeypatch):
    """An epoch has three iterations."""
    runner = runner_of()
    runner.optim_wrapper = OptimWrapper(torch.optim.SGD([torch.zeros(1)], lr=1), accumulative_counts=counts)
    runner.hooks = [CheckpointHook(interval=interval, by_epoch=by_epoch)]
    said = reasons(monkeypatch, runner)
    assert ('accumulative_counts' not in said) == exact


def test_checkpoints_within_an_epoch(monkeypatch):
    runner = runner_of()
    runner.hooks = [CheckpointHook(interval=2, by_epoch=False)]
    assert 'within an epoch, which is then repeated' in reasons(monkeypatch, runner)
    assert reasons(monkeypatch, by_iteration(runner, seed=0)) == ''
    runner.hooks = [CheckpointHook(interval=-1, by_epoch=False)]
    assert reasons(monkeypatch, runner) == ''


@pytest.mark.parametrize(
    'iteration, begin, interval, validations',
    [
        *((3, 1, 1, 1), (4, 1, 1, 0), (0, 1, 1, 0)),
        *((6, 1, 2, 1), (9, 1, 2, 0), (15, 1, 2, 1)),  # the last of five epochs is always due
        *((6, 3, 1, 0), (9, 3, 1, 1)),
    ],
)
def test_the_end_of_an_epoch_is_validated_on_resume_if_it_was_due(iteration, begin, interval, validations):
    """An epoch has three iterations."""
    runner, done = runner_of(epoch=iteration // 3), []
    runner.iter, runner.val_loop = iteration, SimpleNamespace(run=lambda: done.append(1))
    loop = runner.train_loop = object.__new__(EpochBasedTrainLoop)
    loop.dataloader, loop._max_epochs = runner.train_dataloader, 5
    loop.val_begin, loop.val_interval = begin, interval
    ValidateOnResumeHook().before_train(runner)
    assert len(done) == validations


def test_an_early_stop_forgets_how_long_it_has_waited(monkeypatch):
    runner = runner_of()
    runner.hooks = [EarlyStoppingHook(monitor='accuracy/top1')]
    assert 'EarlyStoppingHook' in reasons(monkeypatch, runner)


@pytest.mark.parametrize('num_workers, persistent', [(1, True), (1, False), (0, False)])
def test_workers_that_are_not_restarted_are_not_seeded(num_workers, persistent, monkeypatch):
    """They draw other numbers in the second epoch than workers of a run that resumes there."""
    runner = runner_of(num_workers)
    sampler = runner.train_dataloader.sampler
    runner.train_dataloader = DataLoader(Noise(), 2, False, sampler, None, num_workers, persistent_workers=persistent)
    said = reasons(monkeypatch, runner)
    assert ('persistent_workers=False' in said) == persistent
    assert 'persistent_workers' not in reasons(monkeypatch, by_iteration(copy.copy(runner), seed=0))
    numbers_of_epoch(runner, 0)
    assert (numbers_of_epoch(runner, 1) == numbers_of_epoch(runner_of(num_workers), 1)) != persistent


def test_other_workers_and_unknown_seeds_are_said(monkeypatch):
    runner = runner_of(num_workers=2)
    assert reasons(monkeypatch, runner) == ''
    resumed = runner_of(num_workers=1)
    resumed.message_hub = runner.message_hub
    resumed.iter = 0  # a new run of the same name
    assert reasons(monkeypatch, resumed) == ''
    reasons(monkeypatch, runner)
    resumed.iter = 3
    assert '1 worker processes, but had 2' in reasons(monkeypatch, resumed)
    monkeypatch.setattr('mmpod.engine.hooks.epoch_seed_hook.get_world_size', lambda: 4)
    assert 'it continues with 4 processes, but had 1' in reasons(monkeypatch, resumed)
    monkeypatch.undo()
    assert reasons(monkeypatch, by_iteration(runner_of(), seed=0)) == ''
    assert 'set randomness.seed' in reasons(monkeypatch, by_iteration(runner_of()))
