"""A hook that fits Gaussian discriminant analysis to the features of the training set before a test."""

from pathlib import Path
from typing import Iterator, Optional, Sized, cast

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import Tensor

from mmpod.models import AverageTTA, GDAClassifier
from mmpod.registry import HOOKS
from mmpod.utils.distributed import check_each_sample_once
from mmpod.utils.files import check_output_file

from ..class_names import check_same_classes, dataset_classes, dataset_folders
from ..extraction import extracted, has_tta, one_view_model, ordered_loader, plain_model, training_set

__all__ = ['FitGDAHook']

# Rows to collect before the covariances are updated; doing so for a few rows at a time is slow.
ROWS = 8192


@HOOKS.register_module()
class FitGDAHook(Hook):
    """Before a test, run the training set through the model without augmentation and fit its Gaussians.

    Several processes share the work: each counts its own samples, and the moments are summed, so the fit equals that of
    one process up to rounding. A model that was loaded with ``fitted`` is not changed.

    Args:
        dataset: Config of the dataset to fit on; by default that of ``train_dataloader`` with the pipeline of
            ``test_dataloader``, each sample once.
        save_to: File to write the fitted model to (.npz), for ``model.fitted``.

    Raises:
        TypeError: Before the test, if the model is not a ``GDAClassifier``.
        UserError: There is no set to fit on, it has no labels, its classes are not those of the test set, or
            ``save_to`` cannot be written.
        ValueError: With test-time augmentation, unless it is ``mmpod.AverageTTA`` and the model was loaded with
            ``fitted``; the training set does not have its own pipeline; or a sample would be counted twice.
    """

    # After EMAHook, which puts the averaged weights in place.
    priority = 'LOW'

    def __init__(self, dataset: Optional[dict] = None, save_to: Optional[str] = None):
        self.dataset = dataset
        self.save_to = save_to

    def before_test_epoch(self, runner: Runner) -> None:
        """Fit and save the Gaussians, and log their settings."""
        model = plain_model(runner.model)
        if not isinstance(model, GDAClassifier):
            raise TypeError(
                f'Expected a GDAClassifier for FitGDAHook, but got {type(model).__name__}. Set '
                "model.type='mmpod.GDAClassifier', or remove the hook."
            )
        if model.fitted is not None:
            if has_tta(runner.model) and not any(isinstance(part, AverageTTA) for part in runner.model.modules()):
                raise ValueError(
                    'Expected mmpod.AverageTTA as `tta_model` of GDAClassifier, because others keep the '
                    '`cosine_score`, `log_density` and `mahalanobis` of one view. Set '
                    "tta_model=dict(type='mmpod.AverageTTA')."
                )
            print_log(f'GDA: already fitted, {model.fitted}', 'current')
            return
        one_view_model(runner, self)
        if self.save_to is not None:
            check_output_file('`save_to` of FitGDAHook', Path(self.save_to))
        gda, num_classes, counted = model.unfitted_gda(), model.head.num_classes, 0
        loader = ordered_loader(runner, self.dataset or training_set(runner))
        sets = {'test_dataloader': runner.test_dataloader.dataset, 'the set that FitGDAHook fits on': loader.dataset}
        for list_of in (dataset_classes, dataset_folders):
            check_same_classes({name: list_of(dataset) for name, dataset in sets.items()})
        num_samples = len(cast(Sized, loader.dataset))

        def features_of(inputs: Tensor) -> Tensor:
            return model.gaussian_features(model.extract_feat(inputs))

        for features, labels in _in_blocks(extracted(runner, loader, features_of, 'Features of the training set')):
            gda.partial_fit(features, labels, num_classes)
            counted += len(labels)
        check_each_sample_once(counted, num_samples, features.device)
        gda.merge_processes()
        shrinkage = torch.as_tensor(gda.shrinkage_)
        model.gda = gda
        print_log(
            f'GDA: {num_samples} samples, {num_classes} classes, {features.shape[1]} dimensions '
            f'({model.stage}), covariance={gda.covariance!r}, shrinkage {shrinkage.min():.4g} to '
            f'{shrinkage.max():.4g}',
            'current',
        )
        if self.save_to is not None and is_main_process():
            gda.save(self.save_to, notes=model.feature_source())


def _in_blocks(batches: Iterator[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches concatenated into blocks of at least ``ROWS`` rows."""
    features, labels = [], []
    for batch in batches:
        features.append(batch[0])
        labels.append(batch[1])
        if sum(map(len, labels)) >= ROWS:
            yield torch.cat(features), torch.cat(labels)
            features, labels = [], []
    if labels:
        yield torch.cat(features), torch.cat(labels)
