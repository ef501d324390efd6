"""Running a model over a dataset in order, outside the Runner's loops."""

import copy
import sys
from typing import Iterator

import torch
from mmengine.dist import is_main_process
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner
from mmengine.utils import ProgressBar
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.utils.data import DataLoader

__all__ = ['ordered_loader', 'plain_model', 'sample_indices', 'with_progress']


def plain_model(model: nn.Module) -> tuple[nn.Module, bool]:
    """Return the classifier inside distributed and test-time augmentation wrappers, and whether there is the latter."""
    model = model.module if is_model_wrapper(model) else model
    augmented = isinstance(model, BaseTTAModel)
    return (model.module if augmented else model), augmented


def ordered_loader(runner: Runner, dataset: dict) -> DataLoader:
    """Return a loader of a dataset, set up as the test loader but for the dataset, with its samples in order.

    Args:
        runner: The Runner that tests.
        dataset: Config of the dataset.
    """
    cfg = copy.deepcopy(runner.cfg.test_dataloader)
    # Not `update`, which would mix the datasets' settings.
    cfg.dataset, cfg.sampler, cfg.drop_last = dataset, dict(type='DefaultSampler', shuffle=False), False
    return runner.build_dataloader(cfg, seed=runner.seed)


def with_progress(loader: DataLoader, title: str) -> Iterator[dict]:
    """Yield the batches; the main process shows how far it is and the time left."""
    if not is_main_process():
        yield from loader
        return
    print(f'{title}: {len(loader.dataset)} samples', flush=True)
    bar = ProgressBar(len(loader), file=sys.stdout)
    for batch in loader:
        yield batch
        bar.update()
    print(flush=True)


def sample_indices(samples: list[DataSample]) -> Tensor:
    """Return the samples' positions in their dataset, shape (N,), int64; -1 where a pipeline has dropped them."""
    return torch.tensor([sample.get('sample_idx', -1) for sample in samples])
