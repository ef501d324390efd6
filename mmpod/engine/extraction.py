"""Run a model over a dataset in order, outside the Runner's loops."""

import copy
import sys
from typing import Any, Callable, Iterator, Sequence, Sized, cast

import torch
from mmengine.dist import get_dist_info, is_main_process
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner, autocast
from mmengine.utils import ProgressBar
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmpod.utils.config_parts import type_name

__all__ = ['extracted', 'ordered_loader', 'plain_model', 'sample_indices', 'training_set', 'with_progress']


def plain_model(model: Any) -> tuple[Any, bool]:
    """Return the classifier without distributed and test-time augmentation wrappers, and whether it had the latter."""
    model = model.module if is_model_wrapper(model) else model
    augmented = isinstance(model, BaseTTAModel)
    return (model.module if augmented else model), augmented


def ordered_loader(runner: Runner, dataset: dict) -> DataLoader:
    """Return a loader of a dataset, set up like the test loader, with the samples in order.

    Args:
        runner: The Runner that tests.
        dataset: Config of the dataset.
    """
    cfg = copy.deepcopy(runner.cfg.test_dataloader)
    # Not `update`, which would mix the datasets' settings.
    cfg.dataset, cfg.sampler, cfg.drop_last = dataset, dict(type='DefaultSampler', shuffle=False), False
    return runner.build_dataloader(cfg, seed=runner.seed)


def training_set(runner: Runner) -> dict:
    """Return the config of the training set without augmentation: each sample once, read as those of the test set.

    ``RepeatDataset`` and ``ClassBalancedDataset`` are left out. Images are in memory (``InMemoryImages``) if those of
    the test set are.

    Raises:
        ValueError: A dataset without a ``pipeline`` of its own.
    """
    train, test = (runner.cfg[f'{name}_dataloader'].dataset for name in ('train', 'test'))
    in_memory = None
    while 'pipeline' not in test and ('dataset' in test or 'datasets' in test):
        in_memory = test if type_name(test) == 'InMemoryImages' else in_memory
        test = test.dataset if 'dataset' in test else test.datasets[0]
    if 'pipeline' not in test:
        raise _no_pipeline(test)
    dataset = _each_sample_once(train, test.pipeline)
    return dataset if in_memory is None else dict(in_memory, dataset=dataset)


def _each_sample_once(dataset: dict, pipeline: list) -> dict:
    """Return the config of a dataset with another pipeline, without wrappers that repeat or keep samples."""
    if type_name(dataset) in ('RepeatDataset', 'ClassBalancedDataset', 'InMemoryImages'):
        return _each_sample_once(dataset['dataset'], pipeline)
    if 'datasets' in dataset:
        return dict(dataset, datasets=[_each_sample_once(part, pipeline) for part in dataset['datasets']])
    if 'dataset' in dataset:
        return dict(dataset, dataset=_each_sample_once(dataset['dataset'], pipeline))
    if 'pipeline' not in dataset:
        raise _no_pipeline(dataset)
    return dict(dataset, pipeline=pipeline)


def _no_pipeline(dataset: dict) -> ValueError:
    return ValueError(
        f'Expected training and test sets with a `pipeline` of their own, but got a {type_name(dataset)} without one. '
        'Name the training set with the pipeline of the test set, as `dataset` of FitGDAHook or of test_dataloader.'
    )


@torch.no_grad()
def extracted(
    runner: Runner,
    model: nn.Module,
    loader: DataLoader,
    features_of: Callable[[Any], Tensor],
    title: str,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield features and labels of the samples that this process counts, batch by batch.

    Args:
        runner: The Runner that tests.
        model: The classifier without wrappers.
        loader: From :func:`ordered_loader`.
        features_of: Maps a batch of images to features (N, D).
        title: Shown with the progress bar.
    """
    model.eval()
    # The sampler of rank r yields the samples r, r + W, ..., then repeats the first ones until all ranks have equally
    # many.
    rank, world_size = get_dist_info()
    left = len(range(rank, len(cast(Sized, loader.dataset)), world_size))
    for batch in with_progress(loader, title):
        with autocast(enabled=runner.test_loop.fp16):
            data = model.data_preprocessor(batch, False)
            features = features_of(data['inputs'])
        labels = torch.cat([sample.gt_label for sample in data['data_samples']]).to(features.device)
        yield features[:left], labels[:left]
        left = max(0, left - len(labels))


def with_progress(loader: DataLoader, title: str) -> Iterator[dict]:
    """Yield the batches; the main process shows the progress and the time left."""
    if not is_main_process():
        yield from loader
        return
    print(f'{title}: {len(cast(Sized, loader.dataset))} samples', flush=True)
    bar = ProgressBar(len(loader), file=sys.stdout)
    for batch in loader:
        yield batch
        bar.update()
    print(flush=True)


def sample_indices(samples: Sequence[DataSample]) -> Tensor:
    """Return the samples' positions in their dataset, shape (N,), int64; -1 where their pipeline dropped them."""
    return torch.tensor([sample.get('sample_idx', -1) for sample in samples])
