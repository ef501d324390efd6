"""The rows that a batch statistic covers: the local ones, or in a distributed run those of all processes."""

from torch import Tensor

__all__ = ['Batch']


class Batch:
    """A batch whose rows are all in this process.

    Batch statistics take it as ``batch``. :class:`~mmpod.models.losses.global_batch.GlobalBatch` has the same methods
    for a batch whose rows are spread over several processes; there each method is a collective.

    Args:
        rows: Any tensor with one row per sample.

    Attributes:
        num_samples: N, the number of rows of the whole batch.
        processes: W, the number of processes that hold its rows.
    """

    processes = 1

    def __init__(self, rows: Tensor):
        self.num_samples = rows.shape[0]

    def gather(self, rows: Tensor) -> Tensor:
        """Return the rows (N, D) of the whole batch, without gradients."""
        return rows

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the entry-wise sum of a tensor over the processes, without gradients."""
        return tensor

    def mean(self, rows: Tensor) -> Tensor:
        """Return the mean over the rows (N, ...) of the whole batch, with gradients to the local rows."""
        return rows.mean(dim=0)
