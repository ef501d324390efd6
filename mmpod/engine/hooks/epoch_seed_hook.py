"""A hook that gives each epoch the same random numbers, whether or not the run was interrupted before it."""

import functools
import logging
import random
from collections.abc import Iterator, Sequence
from typing import Callable, Optional

import numpy as np
import torch
from mmengine.dist import get_rank, get_world_size
from mmengine.hooks import CheckpointHook, EarlyStoppingHook, Hook
from mmengine.logging import print_log
from mmengine.optim import OptimWrapperDict
from mmengine.runner import IterBasedTrainLoop, Runner

from mmpod.registry import HOOKS

__all__ = ['EpochSeedHook']


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed all generators at the start of each training epoch, from the seed of the run, the epoch and the process.

    MMEngine's checkpoints contain weights, optimizers, schedules and counts, but no generator state: a resumed run
    draws other crops, flips, mixtures and dropout masks. Its worker processes start from the same seed in every epoch,
    and without ``randomness.seed`` its sampler shuffles with a new one, although the checkpoint contains the old one.
    With this hook, a run that resumes at an epoch ends with the weights of an uninterrupted one, as far as the kernels
    are deterministic (``randomness.deterministic``). The random numbers of the processes differ.

    Workers are seeded when they start, after ``train_dataloader.worker_init_fn``, so they must be restarted in each
    epoch (``persistent_workers=False`` for the training set, which the command lines set).

    MMEngine's iteration-based loops load all batches again up to the one that they resume from. There the model is
    seeded in each iteration, so that it and the data draw independently.

    If a resumed run cannot equal an uninterrupted one, a warning before the first step says why.
    """

    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self.states: Optional[tuple] = None
        self.init_worker: Optional[Callable[[int], None]] = None

    def before_train(self, runner: Runner) -> None:
        """Make the sampler shuffle with the seed of the run, which a checkpoint may change; warn of differences."""
        self.init_worker = runner.train_dataloader.worker_init_fn
        sampler, config = runner.train_dataloader.sampler, runner.cfg.train_dataloader.get('sampler') or {}
        if hasattr(sampler, 'seed') and 'seed' not in config and not runner._randomness_cfg.get('diff_rank_seed'):
            sampler.seed = runner.seed
        iterator = getattr(runner.train_loop, 'dataloader_iterator', None)
        if hasattr(iterator, 'skip_iter'):  # of onedl-mmengine: it skips samples without drawing their random numbers
            iterator.skip_iter = functools.partial(_load_again, iterator)
        reasons = list(_inexact(runner))
        if reasons:
            print_log(
                'If interrupted and resumed, this run does not end with exactly the weights of an uninterrupted one: '
                + '; '.join(reasons),
                logger='current',
                level=logging.WARNING,
            )

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed this process, and the workers that it is about to start."""
        loader = runner.train_dataloader
        sequence = np.random.SeedSequence([runner.seed, runner.epoch, get_rank()])
        own, *workers = sequence.generate_state(1 + loader.num_workers).tolist()
        _seed_generators(own)
        loader.worker_init_fn = functools.partial(_start_worker, seeds=workers, first=self.init_worker)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Optional[dict] = None) -> None:
        """In an iteration-based loop, seed the model for this iteration."""
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            self._keep_states()
            _seed_generators(np.random.SeedSequence([runner.seed, runner.iter, get_rank(), 1]).generate_state(1).item())

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Optional[dict] = None, outputs: Optional[dict] = None
    ) -> None:
        """Continue with the random numbers of the data."""
        self._restore_states()

    def before_val(self, runner: Runner) -> None:
        """Keep the random numbers of the data apart from those of a validation."""
        self._keep_states()

    def after_val(self, runner: Runner) -> None:
        """Continue with the random numbers of the data."""
        self._restore_states()

    def _keep_states(self) -> None:
        self.states = random.getstate(), np.random.get_state(), torch.get_rng_state()

    def _restore_states(self) -> None:
        if self.states is not None:
            python, numpy, pytorch = self.states
            random.setstate(python)
            np.random.set_state(numpy)
            torch.set_rng_state(pytorch)
            self.states = None


def _inexact(runner: Runner) -> Iterator[str]:
    """Yield the reasons why a resumed run differs from an uninterrupted one."""
    by_iteration = isinstance(runner.train_loop, IterBasedTrainLoop)
    wrapper = runner.optim_wrapper
    wrappers = list(wrapper.values()) if isinstance(wrapper, OptimWrapperDict) else [wrapper]
    counts = max(getattr(each, '_accumulative_counts', 1) for each in wrappers)
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and hook.interval > 0:
            iterations = hook.interval * (len(runner.train_dataloader) if hook.by_epoch else 1)
            if iterations % counts:
                yield (
                    f'checkpoints, {iterations} iterations apart, hold no gradients, and accumulative_counts={counts} '
                    'does not divide that number'
                )
            if not (hook.by_epoch or by_iteration):
                yield (
                    'CheckpointHook(by_epoch=False) saves within an epoch, which is then repeated from its start: set '
                    'default_hooks.checkpoint.by_epoch=True'
                )
        if isinstance(hook, EarlyStoppingHook):
            yield 'EarlyStoppingHook forgets the best score and how long it has waited for a better one'
    if runner.train_dataloader.persistent_workers and not by_iteration:
        yield 'persistent workers are seeded only in the first epoch: set train_dataloader.persistent_workers=False'
    if by_iteration and (runner.cfg.get('randomness') or {}).get('seed') is None:
        yield 'an iteration-based loop starts its loader before it knows the seed of the run: set randomness.seed'
    hub, num_workers = runner.message_hub, runner.train_dataloader.num_workers
    counts_now = dict(num_workers=(num_workers, 'worker processes'), world_size=(get_world_size(), 'processes'))
    for name, (number, what) in counts_now.items():
        before = hub.runtime_info.get(name, number)
        if runner.iter and before != number:  # a new run may have the name, and hence the hub, of another
            yield f'it continues with {number} {what}, but had {before}'
        hub.update_info(name, number)


def _load_again(batches: Iterator, number: int) -> None:
    for _ in range(number):
        next(batches)


def _start_worker(worker_id: int, seeds: Sequence[int], first: Optional[Callable[[int], None]]) -> None:
    if first is not None:  # MMEngine's, or train_dataloader.worker_init_fn
        first(worker_id)
    _seed_generators(seeds[worker_id])


def _seed_generators(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
