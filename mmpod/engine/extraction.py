"""Run a model over a dataset in order, outside the Runner's loops."""

import copy
import sys
from typing import Any, Callable, Iterator, Sized, cast

import torch
from mmengine.dist import get_rank, get_world_size, is_main_process
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, Runner, autocast
from mmengine.utils import track_iter_progress
from torch import Tensor
from torch.utils.data import DataLoader

from mmpod.datasets.channel_orders import check_same_order
from mmpod.utils.config_parts import inner_datasets, type_name
from mmpod.utils.distributed import check_each_sample_once, gather_rows
from mmpod.utils.errors import UserError

__all__ = [
    'all_features',
    'extracted',
    'has_tta',
    'one_view_model',
    'ordered_loader',
    'plain_model',
    'require_epochs',
    'training_set',
    'with_progress',
]

WAY_OUT = 'Name the training set with the pipeline of the test set, as `dataset` of FitGDAHook or of test_dataloader.'


def plain_model(model: Any) -> Any:
    """Return the classifier without distributed and test-time augmentation wrappers."""
    model = model.module if is_model_wrapper(model) else model
    return model.module if isinstance(model, BaseTTAModel) else model


def has_tta(model: Any) -> bool:
    """Return whether a model averages over several views of an image."""
    return isinstance(model.module if is_model_wrapper(model) else model, BaseTTAModel)


def one_view_model(runner: Runner, hook: object) -> Any:
    """Return the classifier without distributed wrappers, for a hook that needs one view of each image.

    Raises:
        ValueError: With test-time augmentation.
    """
    if has_tta(runner.model):
        raise ValueError(
            f'Expected one view of each image for {type(hook).__name__}, but got several. Leave --tta out.'
        )
    return plain_model(runner.model)


def require_epochs(runner: Runner, hook: object) -> None:
    """Refuse a loop that trains by iterations, for a hook that acts at epochs.

    Raises:
        UserError: The loop has no epochs.
    """
    if not isinstance(runner.train_loop, EpochBasedTrainLoop):
        raise UserError(
            f'Expected a training loop with epochs for {type(hook).__name__}, but got '
            f'{type(runner.train_loop).__name__}. Set train_cfg.by_epoch=True and train_cfg.max_epochs, or remove the '
            'hook.'
        )


def ordered_loader(runner: Runner, dataset: dict) -> DataLoader:
    """Return a loader of a dataset, set up like the test loader, with the samples in order.

    Args:
        runner: The Runner that tests.
        dataset: Config of the dataset.

    Raises:
        UserError: The channel order differs from the test set's, or the pipeline does not read the samples.
    """
    check_same_order({'test_dataloader': runner.cfg.test_dataloader.dataset, 'a set read beside it': dataset})
    cfg = copy.deepcopy(runner.cfg.test_dataloader)
    # Not `update`, which would mix the datasets' settings.
    cfg.dataset, cfg.sampler, cfg.drop_last = dataset, dict(type='DefaultSampler', shuffle=False), False
    loader = runner.build_dataloader(cfg, seed=runner.seed)
    try:
        loader.dataset[0]['inputs']
    except KeyError as error:  # such as 'img_path', where a pipeline for files gets arrays
        raise UserError(
            f'Expected a pipeline that reads the samples of {type(loader.dataset).__name__} and packs them, but there '
            f'is no {error} in one. Name the set with its own pipeline, as `dataset` of FitGDAHook, `unknown` of '
            'OpenSetHook or `dataset` of test_dataloader.'
        ) from error
    return loader


def training_set(runner: Runner) -> dict:
    """Return the config of the training set without augmentation: each sample once, read like the test set.

    ``RepeatDataset`` and ``ClassBalancedDataset`` are left out. Images are kept in memory (``InMemoryImages``) if those
    of the test set are.

    Raises:
        UserError: There is no training set.
        ValueError: A dataset does not have its own ``pipeline``.
    """
    loader, test = runner.cfg.get('train_dataloader'), runner.cfg.test_dataloader.dataset
    if loader is None:
        raise UserError(f'Expected train_dataloader in the config, but there is none. {WAY_OUT}')
    dataset = _each_sample_once(loader.dataset, next(inner_datasets(test))[0])
    return dict(test, dataset=dataset) if type_name(test) == 'InMemoryImages' else dataset


def _each_sample_once(dataset: dict, test: dict) -> dict:
    """Return the config of a dataset with the pipeline of another, without wrappers that repeat or keep samples."""
    if type_name(dataset) in ('RepeatDataset', 'ClassBalancedDataset', 'InMemoryImages'):
        return _each_sample_once(dataset['dataset'], test)
    if 'datasets' in dataset:
        return dict(dataset, datasets=[_each_sample_once(part, test) for part in dataset['datasets']])
    if 'dataset' in dataset:
        return dict(dataset, dataset=_each_sample_once(dataset['dataset'], test))
    for part in (dataset, test):
        if 'pipeline' not in part:
            raise ValueError(
                f'Expected training and test sets with their own `pipeline`, but got a {type_name(part)} without '
                f'one. {WAY_OUT}'
            )
    return dict(dataset, pipeline=test['pipeline'])


@torch.no_grad()
def extracted(
    runner: Runner, loader: DataLoader, features_of: Callable[[Any], Tensor], title: str, labelled: bool = True
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield features and labels of the samples that this process counts, batch by batch.

    Args:
        runner: The Runner that tests.
        loader: From :func:`ordered_loader`.
        features_of: Maps a batch of images to features (N, D).
        title: Shown with the progress bar.
        labelled: Read the labels; without, they are -1.

    Raises:
        UserError: An image has no label, and ``labelled`` is set.
    """
    model = plain_model(runner.model).eval()
    # The sampler of rank r yields the samples r, r + W, ..., then repeats the first ones until all ranks have equally
    # many.
    left = len(range(get_rank(), len(cast(Sized, loader.dataset)), get_world_size()))
    for batch in with_progress(loader, title):
        with autocast(enabled=runner.test_loop.fp16):
            data = model.data_preprocessor(batch, False)
            if labelled and not all('gt_label' in sample for sample in data['data_samples']):
                raise UserError(
                    f'Expected images with labels, but those of {type(loader.dataset).__name__} have none. Name a '
                    'labelled set as `dataset` of FitGDAHook, or as `support` and `query` of FewShotHook.'
                )
            features = features_of(data['inputs'])
        labels = features.new_full((len(features),), -1, dtype=torch.long)
        if labelled:
            labels = torch.cat([sample.gt_label for sample in data['data_samples']]).to(features.device)
        yield features[:left], labels[:left]
        left = max(0, left - len(labels))


def all_features(
    runner: Runner, loader: DataLoader, features_of: Callable[[Any], dict], title: str, labelled: bool = True
) -> tuple[dict[str, Tensor], Tensor]:
    """Return features of a whole dataset by name, (N, D) each, float64, and its labels, (N,), in its order.

    All processes get all of them. The arguments are those of :func:`extracted`, except that ``features_of`` returns a
    dict of features. A collective.

    Raises:
        ValueError: A sample was counted twice or not at all.
    """
    widths: dict[str, int] = {}

    def side_by_side(inputs: Any) -> Tensor:
        parts = features_of(inputs)
        widths.update((name, part.shape[1]) for name, part in parts.items())
        return torch.cat(list(parts.values()), dim=1)

    features, labels = (torch.cat(parts) for parts in zip(*extracted(runner, loader, side_by_side, title, labelled)))
    num_samples, processes = len(cast(Sized, loader.dataset)), get_world_size()
    check_each_sample_once(len(labels), num_samples, features.device)
    order = torch.cat([torch.arange(rank, num_samples, processes) for rank in range(processes)]).argsort()
    rows, targets = gather_rows(features).double().cpu()[order], gather_rows(labels[:, None]).flatten().cpu()[order]
    return dict(zip(widths, rows.split(list(widths.values()), dim=1))), targets


def with_progress(loader: DataLoader, title: str) -> Iterator[dict]:
    """Return the batches; the main process shows the progress and the time left."""
    if not is_main_process():
        return iter(loader)
    print(f'{title}: {len(cast(Sized, loader.dataset))} samples', flush=True)
    return track_iter_progress((loader, len(loader)), file=sys.stdout)
