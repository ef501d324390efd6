"""Statistics over all processes of a distributed run: of a batch, with gradients, or of a dataset.

All W processes compute the same loss of the global batch. A row receives the gradients of all W backward passes, W
times that of the loss. DistributedDataParallel averages over the processes, which divides by W, so that the parameters
get the gradient that one process with the whole batch would compute.
"""

import functools
from collections.abc import Sequence
from typing import Any, Optional, cast

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = [
    'owned_by_rank',
    'gather_rows',
    'global_mean',
    'global_sum',
    'check_each_sample_once',
    'row_counts',
    'world_size',
]


def world_size() -> int:
    """Return the number of training processes, 1 outside a distributed run."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


@torch.compiler.disable
def row_counts(rows: Tensor) -> list[int]:
    """Return the number of rows of each process, in the order of the ranks. A collective.

    Later shapes depend on the counts, so they are exchanged between the hosts, without waiting for an accelerator.
    """
    if world_size() == 1:
        return [len(rows)]
    counts = torch.empty(world_size(), dtype=torch.long)
    group = _host_group(dist.group.WORLD)
    dist.all_gather(list(counts.split(1)), torch.tensor([len(rows)]), group=group)
    return counts.tolist()


@functools.lru_cache(maxsize=1)
def _host_group(world: 'dist.ProcessGroup') -> 'dist.ProcessGroup':
    return world if dist.get_backend(world) == 'gloo' else cast('dist.ProcessGroup', dist.new_group(backend='gloo'))


@torch.no_grad()
def gather_rows(rows: Tensor, counts: Optional[Sequence[int]] = None) -> Tensor:
    """Return the rows of all processes, in the order of the ranks, without gradients.

    The processes may hold different numbers of rows (a last batch that does not divide evenly); ``counts`` are these
    numbers, if already known from :func:`row_counts`. A collective: every process must call it. Outside a distributed
    run the rows are returned unchanged.
    """
    counts = row_counts(rows) if counts is None else counts
    if len(counts) == 1:
        return rows
    padded = rows.new_zeros(max(counts), *rows.shape[1:])
    padded[: len(rows)] = rows
    parts = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(parts, padded)
    return torch.cat([part[:count] for part, count in zip(parts, counts)])


def global_mean(values: Tensor) -> Tensor:
    """Return this process's share of the mean over the values of all processes.

    The share is the sum of the local values times the number W of processes, divided by the global count. The average
    of the shares, which DistributedDataParallel takes of their gradients, is the mean over the global batch, even if
    the processes hold different numbers of values. A collective. Outside a distributed run it is the mean.
    """
    if world_size() == 1:
        return values.mean()
    count = torch.full((), len(values), dtype=torch.long, device=values.device)
    dist.all_reduce(count)
    return values.sum() * world_size() / count


@torch.no_grad()
def global_sum(tensor: Tensor) -> Tensor:
    """Return the entry-wise sum of ``tensor`` over all processes, without gradients.

    A collective. Outside a distributed run it is ``tensor``.
    """
    if world_size() == 1:
        return tensor
    total = tensor.clone()
    dist.all_reduce(total)
    return total


def owned_by_rank(samples: Sequence[Any]) -> Tensor:
    """Return which samples this process has to count, shape (N,), bool, so that exactly one process counts each.

    MMEngine's ``DefaultSampler(shuffle=False)`` gives rank r of W the samples r, r + W, ... and repeats the first ones
    until all ranks have the same number; a repeated sample never goes to the rank that is its index modulo W.
    :func:`check_each_sample_once` detects any other order. The samples are predictions as dicts or data samples, whose
    ``sample_idx`` is the position in the dataset.
    """
    if world_size() == 1:
        return torch.ones(len(samples), dtype=torch.bool)
    indices = torch.tensor([sample.get('sample_idx', -1) for sample in samples])
    return indices % world_size() == dist.get_rank()


def check_each_sample_once(count: int, num_samples: int, device: torch.device) -> None:
    """Raise a ValueError unless the counts of all processes add up to the size of the dataset. A collective.

    Args:
        count: Number of samples that this process has counted.
        num_samples: Size of the dataset.
        device: Where the backend of the process group communicates.
    """
    total = int(global_sum(torch.tensor(count, device=device)))
    if total != num_samples:
        raise ValueError(
            f'Expected each of the {num_samples} samples to be counted once, but got {total}. Use the sampler '
            "dict(type='DefaultSampler', shuffle=False), whose order determines which process counts "
            'a sample, a dataset whose `sample_idx` is the position of the sample, and no drop_last; or one process.'
        )
