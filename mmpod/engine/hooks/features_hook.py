"""A hook that provides features to the metrics that measure them."""

from typing import Any

from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmpretrain.structures import DataSample
from torch import nn

from mmpod.models.features import stage_features
from mmpod.registry import HOOKS, METRICS

from ..extraction import plain_model

__all__ = ['FeaturesHook']


@HOOKS.register_module()
class FeaturesHook(Hook):
    """In validation and tests, put each image's features into its prediction, as ``features_pooled`` or another stage.

    It adds only the stages that a metric asks for with its ``feature_stage`` (``mmpod.FeatureSpectrum``,
    ``mmpod.FeatureGeometry``), and gives such a metric the head; without one it does nothing. It uses PyTorch's forward
    hooks of the head and the model, and removes them afterwards. With test-time augmentation, where an image has
    several feature vectors, those metrics are left out.

    Args:
        geometry: Add ``mmpod.FeatureGeometry`` to the metrics of validation and test, unless it is listed:
            ``--cfg-options default_hooks.features.geometry=True``.
    """

    def __init__(self, geometry: bool = False):
        self.geometry = geometry
        self.handles: list[Any] = []

    def before_val(self, runner: Runner) -> None:
        """Register the forward hooks."""
        self._register(runner, runner.val_evaluator)

    def before_test(self, runner: Runner) -> None:
        """Register the forward hooks."""
        self._register(runner, runner.test_evaluator)

    def _register(self, runner: Runner, evaluator: Evaluator) -> None:
        if self.geometry and not any(type(metric).__name__ == 'FeatureGeometry' for metric in evaluator.metrics):
            # First, because it removes the features from the predictions that other metrics may store.
            evaluator.metrics.insert(0, METRICS.build(dict(type='mmpod.FeatureGeometry')))
        takers = {metric.feature_stage: metric for metric in evaluator.metrics if hasattr(metric, 'feature_stage')}
        if not takers:
            return
        model, augmented = plain_model(runner.model)
        if augmented:
            evaluator.metrics = [metric for metric in evaluator.metrics if not hasattr(metric, 'feature_stage')]
            print_log(
                'With --tta an image has several feature vectors, so the metrics of features are left out.',
                'current',
                level=30,
            )
            return
        for metric in evaluator.metrics:
            if hasattr(metric, 'feature_stage'):
                metric.head, metric.takes_out = model.head, metric is takers[metric.feature_stage]
        seen = {}

        def keep(head: nn.Module, args: tuple, output: Any) -> None:
            seen.update({f'features_{stage}': stage_features(head, args[0], stage) for stage in takers})

        def hand_out(model: nn.Module, args: tuple, output: list[DataSample]) -> None:
            for name, features in seen.items():
                for sample, row in zip(output, features):
                    sample.set_field(row, name)
            seen.clear()

        self.handles = [model.head.register_forward_hook(keep), model.register_forward_hook(hand_out)]

    def after_val(self, runner: Runner) -> None:
        """Remove the forward hooks."""
        for handle in self.handles:
            handle.remove()
        self.handles.clear()

    after_test = after_val
