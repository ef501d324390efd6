"""Running a model over a dataset in order, outside the Runner's loops."""

import copy
import sys
from typing import Callable, Iterator

import torch
from mmengine.dist import is_main_process
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner, autocast
from mmengine.utils import ProgressBar
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmpod.utils.distributed import owned_by_rank

__all__ = ['extracted', 'ordered_loader', 'plain_model', 'sample_indices', 'training_set', 'with_progress']


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


def training_set(runner: Runner) -> dict:
    """Return the config of the training set without its augmentation: with the pipeline of the test set.

    Raises:
        ValueError: The two do not tell their pipelines apart from the images.
    """
    train, test = (runner.cfg[f'{name}_dataloader'].dataset for name in ('train', 'test'))
    if 'pipeline' not in train or 'pipeline' not in test:
        raise ValueError(
            f'Expected datasets with a `pipeline` of their own, but got {train.type} and {test.type}. Name the '
            'training set with the pipeline of the test set, as `dataset` of FitGDAHook or of test_dataloader.'
        )
    return dict(train, pipeline=test.pipeline)


@torch.no_grad()
def extracted(
    runner: Runner, model: nn.Module, loader: DataLoader, features_of: Callable[[object], Tensor], title: str
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield positions, features and labels of the samples that this process counts, batch by batch.

    Args:
        runner: The Runner that tests.
        model: The classifier without wrappers.
        loader: From :func:`ordered_loader`.
        features_of: From the output of the neck to features (N, D).
        title: What the progress bar says.
    """
    model.eval()
    for batch in with_progress(loader, title):
        with autocast(enabled=runner.test_loop.fp16):
            data = model.data_preprocessor(batch, False)
            features = features_of(model.extract_feat(data['inputs']))
        labels = torch.cat([sample.gt_label for sample in data['data_samples']]).to(features.device)
        indices = sample_indices(data['data_samples'])
        counted = owned_by_rank(indices)
        on_device = counted.to(features.device)
        yield indices[counted], features[on_device], labels[on_device]


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
