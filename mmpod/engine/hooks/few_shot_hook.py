"""A hook that measures how well frozen features tell classes apart that were not trained on."""

from functools import partial
from typing import Callable, Optional, Sequence

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mmpod.functional import nearest_mean
from mmpod.models.features import stage_features
from mmpod.registry import HOOKS

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
    best.

    Args:
        support: Overrides of the test dataset's config that give the support set, the images to learn from.
        query: Overrides of the test dataset's config that give the query set, the images to classify.
        shots: Images per class to learn from.
        stages: ``'backbone'``, its output averaged over positions, or ``'pre_logits'``, what the head classifies.

    Raises:
        ValueError: Before the test: with test-time augmentation. After it: a class has fewer support images than two
            draws need, or a sample would be counted twice.
    """

    # Before MMEngine's RuntimeInfoHook, which passes the metrics to the log.
    priority = 'HIGHEST'

    def __init__(
        self,
        support: dict,
        query: dict,
        shots: Sequence[int] = (5, 20),
        stages: Sequence[str] = ('backbone', 'pre_logits'),
    ):
        self.support, self.query, self.shots, self.stages = support, query, shots, stages

    def before_test(self, runner: Runner) -> None:
        """Refuse test-time augmentation."""
        one_view_model(runner, self)

    def after_test_epoch(self, runner: Runner, metrics: Optional[dict[str, float]] = None) -> None:
        """Extract the features of both sets and add the accuracies to the metrics."""
        (supports, labels), (queries, answers) = (self._features(runner, part) for part in (self.support, self.query))
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

    def _features(self, runner: Runner, changes: dict) -> tuple[Sequence[Tensor], Tensor]:
        """Return the features of each stage, (N, D) each, and the labels of a dataset, (N,)."""
        model = plain_model(runner.model)
        loader = ordered_loader(runner, dict(runner.cfg.test_dataloader.dataset, **changes))
        sizes: list[int] = []

        def features_of(inputs: Tensor) -> Tensor:
            maps = model.extract_feat(inputs, stage='backbone')
            feats = model.neck(maps) if model.with_neck else maps
            pooled = maps[-1].flatten(2).mean(dim=2) if maps[-1].ndim > 2 else maps[-1]
            parts = [
                pooled if stage == 'backbone' else stage_features(model.head, feats, stage) for stage in self.stages
            ]
            sizes[:] = [part.shape[1] for part in parts]
            return torch.cat(parts, dim=1)

        features, labels = all_features(runner, loader, features_of, 'Features of other classes')
        return features.split(sizes, dim=1), labels


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
