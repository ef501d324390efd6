"""Statistics over all processes of a distributed run: of a batch, with gradients, or of a dataset."""

import torch
import torch.distributed as dist
import torch.distributed.nn.functional as dist_autograd
from torch import Tensor

__all__ = ['counted_here', 'gather_rows', 'global_mean', 'global_sum', 'require_each_once', 'world_size']


def world_size() -> int:
    """Return the number of training processes, 1 outside a distributed run."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def gather_rows(rows: Tensor) -> Tensor:
    """Return the rows of all processes, in the order of the ranks, with gradients to the process that owns each row.

    A loss of the gathered rows, computed alike on all W processes, sends each row W times its gradient; the averaging
    of DistributedDataParallel divides by W, so the parameters get the gradient of one process with the whole batch.

    The processes may hold different numbers of rows (a last batch that does not divide evenly), at least one each;
    telling how many waits for the accelerator once a call. A collective: every process must call it. Outside a
    distributed run the rows come back as they are.

    Args:
        rows: Shape (N_r, D) on rank r, with the same D on all.

    Returns:
        Tensor: Shape (sum of N_r, D).
    """
    if world_size() == 1:
        return rows
    counts = [torch.empty(1, dtype=torch.long, device=rows.device) for _ in range(world_size())]
    dist.all_gather(counts, torch.full_like(counts[0], len(rows)))
    counts = torch.cat(counts).tolist()
    padded = torch.nn.functional.pad(rows, (0, 0, 0, max(counts) - len(rows)))
    gathered = dist_autograd.all_gather(padded.contiguous())
    return torch.cat([part[:count] for part, count in zip(gathered, counts)])


def global_mean(values: Tensor) -> Tensor:
    """Return this process's share of the mean over the values of all processes.

    The sum of the local values, times the number W of processes, over the global count: the average of the shares,
    which DistributedDataParallel takes of their gradients, is the mean over the global batch, also where the processes
    hold different numbers of values. A collective. Outside a distributed run it is the mean.

    Args:
        values: Shape (N_r,) on rank r.

    Returns:
        Tensor: Scalar.
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


def counted_here(sample_indices: Tensor) -> Tensor:
    """Return which samples this process counts, so that of all processes one counts each.

    MMEngine's ``DefaultSampler(shuffle=False)`` gives rank r of W the samples r, r + W, ... and repeats the first ones
    until all ranks have equally many; a repetition never falls to the rank that is its index modulo W.
    :func:`require_each_once` finds any other order.

    Args:
        sample_indices: Positions in the dataset, shape (N,), int64.

    Returns:
        Tensor: Shape (N,), bool.
    """
    if world_size() == 1:
        return torch.ones_like(sample_indices, dtype=torch.bool)
    return sample_indices % world_size() == dist.get_rank()


def require_each_once(count: int, num_samples: int, device: torch.device) -> None:
    """Refuse statistics whose processes have together not counted each sample of the dataset once. A collective.

    Args:
        count: Samples that this process has counted.
        num_samples: Size of the dataset.
        device: Where the backend of the process group communicates.

    Raises:
        ValueError: They have counted more or less.
    """
    total = int(global_sum(torch.tensor(count, device=device)))
    if total != num_samples:
        raise ValueError(
            f'Expected each of the {num_samples} samples to be counted once, but got {total}. Use the sampler '
            "dict(type='DefaultSampler', shuffle=False), whose order tells the processes' samples apart, and no "
            'drop_last.'
        )
