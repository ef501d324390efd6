"""Fitting Gaussian discriminant analysis on the features of the training set, before a test."""

import json
from typing import Iterator, Optional

import torch
from mmengine.dist import barrier, is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import Tensor

from mmpod.models import GDAClassifier
from mmpod.posthoc.feature_cache import FeatureCache, digest_of_samples
from mmpod.registry import HOOKS
from mmpod.utils.distributed import check_each_sample_once, owned_by_rank

from ..extraction import extracted, ordered_loader, plain_model, training_set

__all__ = ['FitGDAHook']

# Rows that are learned from at once: fewer would touch every covariance for a handful of rows each.
ROWS = 8192


@HOOKS.register_module()
class FitGDAHook(Hook):
    """Before a test, run the training set through the model without augmentation and fit its Gaussians.

    Several processes share the work: each counts its own samples, every sample once, and their moments are added up,
    so that the fit is that of one process to rounding. A model that was loaded with ``fitted`` is left as it is.

    Args:
        dataset: Config of the dataset to fit on; by default that of ``train_dataloader`` with the pipeline of
            ``test_dataloader``.
        save_to: File to write the fitted model to (.npz), for ``model.fitted``.
        cache: Folder to keep the features in and to take them from in the next run; features of other weights, of
            another dataset, of images that have changed or of another stage are refused.

    Raises:
        TypeError: Before the test, if the model is no ``GDAClassifier``.
        ValueError: The cache does not match or cannot be written, or a sample would be counted twice.
    """

    def __init__(self, dataset: Optional[dict] = None, save_to: Optional[str] = None, cache: Optional[str] = None):
        self.dataset = dataset
        self.save_to = save_to
        self.cache = cache

    def before_test(self, runner: Runner) -> None:
        """Fit, save, and say what was fitted."""
        model, _ = plain_model(runner.model)
        if not isinstance(model, GDAClassifier):
            raise TypeError(
                f'Expected a GDAClassifier for FitGDAHook, but got {type(model).__name__}. Set '
                "model.type='mmpod.GDAClassifier', or remove the hook."
            )
        if model.fitted is not None:
            print_log(f'GDA: fitted before, {model.fitted}', 'current')
            return
        dataset = self.dataset or training_set(runner)
        source = model.feature_source()
        model.gda = gda = model.unfitted_gda()
        loader = ordered_loader(runner, dataset)
        num_classes, counted = model.head.num_classes, 0
        for features, labels in self._in_blocks(self._features(runner, model, loader, dataset, source)):
            gda.partial_fit(features, labels, num_classes)
            counted += len(labels)
        check_each_sample_once(counted, len(loader.dataset), features.device)
        gda.merge_processes()
        shrinkage = torch.as_tensor(gda.shrinkage_)
        print_log(
            f'GDA: {len(loader.dataset)} samples, {num_classes} classes, {features.shape[1]} dimensions '
            f'({model.stage}), covariance={gda.covariance!r}, shrinkage {shrinkage.min():.4g} to '
            f'{shrinkage.max():.4g}',
            'current',
        )
        if self.save_to is not None and is_main_process():
            gda.save(self.save_to, notes=dict(source, dataset=_plain(dataset)))

    def _features(
        self, runner: Runner, model: GDAClassifier, loader, dataset: dict, source: dict
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield features and labels of the samples that this process counts, from the cache or through the model."""
        batches = extracted(runner, model, loader, model.gaussian_features, 'Features of the training set')
        if self.cache is None:
            for _, features, labels in batches:
                yield features, labels
            return
        architecture = {key: value for key, value in runner.cfg.model.items() if key in ('backbone', 'neck', 'head')}
        settings = dict(model=architecture, data_preprocessor=runner.cfg.data_preprocessor, dataset=dataset)
        samples = dict(num_samples=len(loader.dataset), samples=digest_of_samples(loader.dataset))
        provenance = dict(source, half_precision=runner.test_loop.fp16, **samples, **_plain(settings))
        cache = FeatureCache(self.cache, provenance)
        barrier()  # all have looked before one writes
        if not cache.complete:
            self._fill(cache, batches, len(loader.dataset))
        features, labels = cache.open()
        device = next(model.parameters()).device
        for rows in torch.arange(len(labels)).split(ROWS):
            rows = rows[owned_by_rank(rows)].numpy()
            yield torch.from_numpy(features[rows]).to(device), torch.from_numpy(labels[rows]).to(device)

    @staticmethod
    def _fill(cache: FeatureCache, batches: Iterator[tuple[Tensor, Tensor, Tensor]], num_samples: int) -> None:
        memory = None
        for indices, features, labels in batches:
            if (indices < 0).any():
                raise ValueError(
                    'Expected samples with `sample_idx`, their position in the dataset, for the `cache` of FitGDAHook, '
                    'but got some without (InMemoryImages has none). Leave `cache` out, or use another dataset.'
                )
            if memory is None:
                if is_main_process():
                    cache.create(num_samples, features.shape[1])
                barrier()
                memory = cache.open(write=True)
            for target, values in zip(memory, (features, labels)):
                target[indices.numpy()] = values.cpu().numpy()
        for target in memory:
            target.flush()
        barrier()
        if is_main_process():
            cache.finish()
        barrier()

    @staticmethod
    def _in_blocks(batches: Iterator[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
        block, size = [], 0
        for batch in batches:
            block.append(batch)
            size += len(batch[1])
            if size >= ROWS:
                yield tuple(torch.cat(parts) for parts in zip(*block))
                block, size = [], 0
        if block:
            yield tuple(torch.cat(parts) for parts in zip(*block))


def _plain(settings: dict) -> dict:
    """Return a config as JSON data; what JSON does not know becomes text."""
    return json.loads(json.dumps(settings, default=str, sort_keys=True))
