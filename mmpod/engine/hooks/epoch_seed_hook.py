"""The same random numbers in an epoch whether the run was interrupted before it or not."""

import functools
import random
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmpod.registry import HOOKS

__all__ = ['EpochSeedHook']


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed all generators at the start of each training epoch, from the seed of the run, the epoch and the process.

    MMEngine's checkpoints hold weights, optimizers, schedules and counts, but no state of a generator: a resumed run
    draws other crops, flips, mixtures and dropouts. Its worker processes start from one seed whatever the epoch, and
    without ``randomness.seed`` its sampler shuffles by a new one, although the checkpoint holds that of the run. With
    this hook none of that needs to be saved: a run that resumes at an epoch ends with the weights of an unbroken one,
    as far as the kernels are deterministic (``randomness.deterministic``). The random numbers of the processes differ.

    Workers are seeded when they start, so they must start anew in each epoch (``persistent_workers=False`` for the
    training set, which the command lines see to). Resuming in the middle of an epoch, which MMEngine's iteration-based
    loops do, is not covered.
    """

    priority = 'VERY_LOW'

    def before_train(self, runner: Runner) -> None:
        """Let the sampler shuffle by the seed of the run, which the checkpoint may have changed."""
        sampler, config = runner.train_dataloader.sampler, runner.cfg.train_dataloader.get('sampler') or {}
        if hasattr(sampler, 'seed') and 'seed' not in config and not runner._randomness_cfg.get('diff_rank_seed'):
            sampler.seed = runner.seed

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed this process, and the workers that it is about to start."""
        loader = runner.train_dataloader
        sequence = np.random.SeedSequence([runner.seed, runner.epoch, get_rank()])
        own, *workers = sequence.generate_state(1 + loader.num_workers).tolist()
        _seed_generators(own)
        loader.worker_init_fn = functools.partial(_seed_worker, seeds=workers)


def _seed_worker(worker_id: int, seeds: Sequence[int]) -> None:
    _seed_generators(seeds[worker_id])


def _seed_generators(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
