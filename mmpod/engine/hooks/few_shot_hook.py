"""A hook that measures how well frozen features tell apart classes that they were not trained on."""

from functools import partial
from typing import Any, Callable, Optional, Sequence, Union

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mmpod.functional.few_shot import draws, linear_probe, nearest_mean
from mmpod.models.head_features import stage_features
from mmpod.registry import HOOKS
from mmpod.utils.checks import check_integer, check_packages
from mmpod.utils.config_parts import type_name

from ..class_names import check_same_classes, dataset_classes, dataset_folders
from ..extraction import all_features, one_view_model, ordered_loader, plain_model

__all__ = ['FewShotHook']

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)  # C of the logistic regression: the inverse of its regularisation


@HOOKS.register_module()
class FewShotHook(Hook):
    """After a test, learn other classes from a few images of each, with the frozen features, and report the accuracy.

    Reports ``few_shot/nearest_mean_<n>_<stage>`` and ``few_shot/linear_probe_<n>_<stage>``: the accuracy in % on the
    query set after learning from n images per class, by :func:`~mmpod.functional.few_shot.nearest_mean` or by
    scikit-learn's logistic regression of standardised features, as the mean over all disjoint draws that the support
    set allows. The regression's C is the value with which a model fitted on the first draw classifies the second draw
    best. The stages are ``backbone``, its output averaged over positions, and ``pre_logits``, what the head classifies.

    Args:
        support: Overrides of the test dataset's config that give the support set, the images to learn from. With
            ``fast=True``, they are those of the dataset that is kept in memory.
        query: Overrides of the same config that give the query set, the images to classify.
        shots: Images per class to learn from, one number or several.

    Raises:
        ModuleNotFoundError: Before the test: scikit-learn is not installed.
        TypeError: ``shots`` are not integers.
        UserError: Before the test: the two sets have different classes. After it: images have no labels.
        ValueError: ``shots`` are below 1. Before the test: with test-time augmentation. After it: a class has fewer
            support images than two draws need, or a sample was counted twice.
    """

    # Before MMEngine's RuntimeInfoHook, which passes the metrics to the log, and before EMAHook removes the averages.
    priority = 'HIGHEST'

    def __init__(self, support: dict, query: dict, shots: Union[int, Sequence[int]] = (5, 20)):
        self.shots = [shots] if isinstance(shots, int) else list(shots)
        for shot in self.shots:
            check_integer('shots', shot, 1)
        self.changes = {'the support set of FewShotHook': support, 'the query set of FewShotHook': query}

    def before_test(self, runner: Runner) -> None:
        """Refuse sets that cannot be compared before the test starts."""
        one_view_model(runner, self)
        check_packages('FewShotHook', 'sklearn')
        test = runner.cfg.test_dataloader.dataset
        datasets = [
            dict(test, dataset=dict(test.dataset, **new)) if type_name(test) == 'InMemoryImages' else dict(test, **new)
            for new in self.changes.values()
        ]
        self.loaders = [ordered_loader(runner, dataset) for dataset in datasets]
        for list_of in (dataset_classes, dataset_folders):
            check_same_classes({name: list_of(part.dataset) for name, part in zip(self.changes, self.loaders)})

    def after_test_epoch(self, runner: Runner, metrics: Optional[dict[str, float]] = None) -> None:
        """Learn the classes, classify the query set, and add the accuracies to the metrics."""
        features_of = partial(features_by_stage, plain_model(runner.model))
        (supports, labels), (queries, answers) = (
            all_features(runner, loader, features_of, 'Features of other classes') for loader in self.loaders
        )
        num_classes = int(max(labels.max(), answers.max())) + 1
        for shot in self.shots:
            first, second, *_ = chosen = draws(labels, num_classes, shot)
            for stage, support in supports.items():
                query = queries[stage]
                data = support[first], labels[first], support[second], labels[second]
                strength = max(STRENGTHS, key=lambda c: accuracy(partial(linear_probe, strength=c), *data))
                methods: dict[str, Callable] = dict(
                    nearest_mean=nearest_mean, linear_probe=partial(linear_probe, strength=strength)
                )
                for name, method in methods.items():
                    found = [accuracy(method, support[draw], labels[draw], query, answers) for draw in chosen]
                    metrics[f'few_shot/{name}_{shot}_{stage}'] = 100 * sum(found) / len(found)


def features_by_stage(model: Any, inputs: Tensor) -> dict[str, Tensor]:
    """Return the features of :class:`FewShotHook` for a batch of preprocessed images, shape (n, D) each."""
    maps = model.extract_feat(inputs, stage='backbone')
    feats = model.neck(maps) if model.with_neck else maps
    return dict(backbone=mean_over_positions(maps), pre_logits=stage_features(model.head, feats, 'pre_logits'))


def mean_over_positions(maps: Any) -> Tensor:
    """Return a backbone's last output, maps (n, C, H, W), tokens (n, L, C) or vectors (n, C), as one vector, (n, C).

    Several of them, such as the two tokens of DeiT, are concatenated.
    """
    last = maps[-1] if isinstance(maps, (tuple, list)) else maps
    parts = last if isinstance(last, (tuple, list)) else [last]
    positions = {3: 1, 4: (2, 3)}
    return torch.cat([part if part.ndim == 2 else part.mean(positions[part.ndim]) for part in parts], dim=1)


def accuracy(method: Callable, support: Tensor, labels: Tensor, query: Tensor, answers: Tensor) -> float:
    """Return the fraction of correct predictions, from 0 to 1."""
    return (method(support, labels, query) == answers).double().mean().item()
