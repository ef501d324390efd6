"""A hook that measures how well frozen features tell apart classes that they were not trained on."""

from functools import partial
from typing import Any, Callable, Optional, Sequence, Union

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import DataLoader

from mmpod.functional import nearest_mean
from mmpod.models.features import stage_features
from mmpod.registry import HOOKS
from mmpod.utils.checks import check_choice, check_integer, check_packages
from mmpod.utils.config_parts import type_name

from ..class_names import check_same_classes, dataset_classes, dataset_folders
from ..extraction import all_features, one_view_model, ordered_loader, plain_model

__all__ = ['FewShotHook']

STAGES = ('backbone', 'pre_logits')
STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)  # C of the logistic regression: the inverse of its regularisation


@HOOKS.register_module()
class FewShotHook(Hook):
    """After a test, learn other classes from a few images of each, with the frozen features, and report the accuracy.

    Reports ``few_shot/nearest_mean_<n>_<stage>`` and ``few_shot/linear_probe_<n>_<stage>``: the accuracy in % on the
    query set after learning from n images per class, by :func:`~mmpod.functional.few_shot.nearest_mean` or by
    scikit-learn's logistic regression of standardised features, as the mean over all disjoint draws that the support
    set allows. The regression's C is the value with which a model fitted on the first draw classifies the second draw
    best.

    Args:
        support: Overrides of the test dataset's config that give the support set, the images to learn from. With
            ``fast=True``, they are those of the dataset that is kept in memory.
        query: Overrides of the same config that give the query set, the images to classify.
        shots: Images per class to learn from, one number or several.
        stages: ``'backbone'``, its output averaged over positions, or ``'pre_logits'``, what the head classifies; one
            or both.

    Raises:
        ModuleNotFoundError: Before the test: scikit-learn is not installed.
        TypeError: ``shots`` are not integers.
        UserError: Before the test: the two sets have different classes. After it: images have no labels.
        ValueError: ``shots`` or ``stages`` are out of range. Before the test: with test-time augmentation. After it: a
            class has fewer support images than two draws need, the backbone's output is not one tensor, or a sample
            was counted twice.
    """

    # Before MMEngine's RuntimeInfoHook, which passes the metrics to the log, and before EMAHook removes the averages.
    priority = 'HIGHEST'

    def __init__(
        self,
        support: dict,
        query: dict,
        shots: Union[int, Sequence[int]] = (5, 20),
        stages: Union[str, Sequence[str]] = STAGES,
    ):
        self.shots = [shots] if isinstance(shots, int) else list(shots)
        self.stages = [stages] if isinstance(stages, str) else list(stages)
        for shot in self.shots:
            check_integer('shots', shot, 1)
        for stage in self.stages:
            check_choice('stages', stage, STAGES)
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
        (supports, labels), (queries, answers) = (self._features(runner, loader) for loader in self.loaders)
        check_support(labels, answers, self.shots)
        for stage, support, query in zip(self.stages, supports, queries):
            for shot in self.shots:
                first, second, *_ = chosen = draws(labels, shot)
                data = support[first], labels[first], support[second], labels[second]
                strength = max(STRENGTHS, key=lambda c: accuracy(partial(linear_probe, strength=c), *data))
                methods: dict[str, Callable] = dict(
                    nearest_mean=nearest_mean, linear_probe=partial(linear_probe, strength=strength)
                )
                for name, method in methods.items():
                    found = [accuracy(method, support[draw], labels[draw], query, answers) for draw in chosen]
                    metrics[f'few_shot/{name}_{shot}_{stage}'] = 100 * sum(found) / len(found)

    def _features(self, runner: Runner, loader: DataLoader) -> tuple[Sequence[Tensor], Tensor]:
        """Return the features of each stage, (N, D) each, and the labels of a dataset, (N,)."""
        model = plain_model(runner.model)
        sizes: list[int] = []

        def features_of(inputs: Tensor) -> Tensor:
            parts = self._stages(model, inputs)
            sizes[:] = [part.shape[1] for part in parts]
            return torch.cat(parts, dim=1)

        features, labels = all_features(runner, loader, features_of, 'Features of other classes')
        return features.split(sizes, dim=1), labels

    def _stages(self, model: Any, inputs: Tensor) -> list[Tensor]:
        """Return the features of each stage, (n, D) each."""
        maps = model.extract_feat(inputs, stage='backbone')
        feats = model.neck(maps) if model.with_neck else maps
        return [
            mean_over_positions(maps) if stage == 'backbone' else stage_features(model.head, feats, stage)
            for stage in self.stages
        ]


def mean_over_positions(maps: Any) -> Tensor:
    """Return the mean of a backbone's last output, (n, C): maps (n, C, H, W), tokens (n, L, C) or vectors (n, C)."""
    last = maps[-1] if isinstance(maps, (tuple, list)) else maps
    if isinstance(last, Tensor) and last.ndim in (2, 3, 4):
        return last if last.ndim == 2 else last.mean(dim=1 if last.ndim == 3 else (2, 3))
    raise ValueError(
        f'Expected the backbone to give one tensor for FewShotHook, but got {type(last).__name__}. Set '
        "stages='pre_logits', the features of the head."
    )


def check_support(labels: Tensor, answers: Tensor, shots: Sequence[int]) -> None:
    """Refuse support labels that lack a class of the query set, or samples for two draws."""
    lacking = set(answers.tolist()) - set(labels.tolist())
    if lacking:
        raise ValueError(
            'Expected the support set of FewShotHook to have images of every class of the query set, but it has '
            f'none of label {min(lacking)}. Give both sets the same classes.'
        )
    for shot in shots:
        draws(labels, shot)


def draws(labels: Tensor, shot: int) -> list[Tensor]:
    """Return the indices of as many disjoint sets of ``shot`` samples per class as the labels allow, at least two."""
    by_class = [torch.nonzero(labels == label).flatten() for label in range(int(labels.max()) + 1)]
    fewest = min(map(len, by_class))
    if fewest < 2 * shot:
        raise ValueError(
            f'Expected at least {2 * shot} support images per class for FewShotHook with {shot} shots, '
            f'enough for two disjoint draws, but one class has {fewest}. Lower `shots`, or add images.'
        )
    return [
        torch.cat([indices[start : start + shot] for indices in by_class])
        for start in range(0, fewest - shot + 1, shot)
    ]


def accuracy(method: Callable, support: Tensor, labels: Tensor, query: Tensor, answers: Tensor) -> float:
    """Return the fraction of correct predictions, from 0 to 1."""
    return (method(support, labels, query) == answers).double().mean().item()


def linear_probe(support: Tensor, labels: Tensor, query: Tensor, strength: float) -> Tensor:
    """Return the class of each query by logistic regression of standardised features, shape (M,), int64."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))
    return torch.from_numpy(probe.fit(support.numpy(), labels.numpy()).predict(query.numpy()))
