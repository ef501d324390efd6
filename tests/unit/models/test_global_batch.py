"""With several processes it is tested in tests/integration/test_distributed.py."""

import torch
from torch.testing import assert_close

from mmpod.functional import Batch
from mmpod.models.losses.global_batch import GlobalBatch
from mmpod.utils.distributed import gather_rows, global_mean, global_sum, mean_of_rows, row_counts


def test_alone_a_process_has_the_whole_batch():
    rows = torch.randn(6, 3)
    assert row_counts(rows) == [6]
    assert gather_rows(rows) is rows and global_sum(rows) is rows
    assert_close(mean_of_rows(rows, 6), rows.mean(dim=0))
    assert_close(global_mean(rows[:, 0]), rows[:, 0].mean())
    batch, alone = GlobalBatch(rows), Batch(rows)
    assert (batch.num_samples, batch.processes) == (alone.num_samples, alone.processes) == (6, 1)
    assert_close(batch.gather(rows), rows)
    assert_close(batch.sum(rows), rows)
    assert_close(batch.mean(rows), alone.mean(rows))
