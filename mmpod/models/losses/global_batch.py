"""The batch of all processes of a distributed run, for the pure batch statistics of ``mmpod.functional``."""

from torch import Tensor
from torch.distributed.nn.functional import all_reduce

from mmpod.functional.batch import Batch
from mmpod.utils.distributed import gather_rows, global_sum, row_counts

__all__ = ['GlobalBatch']


class GlobalBatch(Batch):
    """A batch of which each process holds at least one row. Building it and each method are collectives.

    Args:
        rows: Any tensor with one row for each sample of this process.
    """

    def __init__(self, rows: Tensor):
        self.counts = row_counts(rows)
        self.num_samples = sum(self.counts)
        self.processes = len(self.counts)

    def gather(self, rows: Tensor) -> Tensor:
        """Return the rows (N, D) of all processes, without gradients."""
        return gather_rows(rows, self.counts)

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the entry-wise sum of a tensor of each process, without gradients."""
        return global_sum(tensor)

    def mean(self, rows: Tensor) -> Tensor:
        """Return the mean over the rows of all processes, with gradients to the local rows."""
        total = rows.sum(dim=0)
        return (all_reduce(total) if self.processes > 1 else total) / self.num_samples
