"""Features for the metrics that measure them."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmpretrain.structures import DataSample
from torch import nn

from mmpod.models.features import stage_features
from mmpod.registry import HOOKS

from ..extraction import plain_model

__all__ = ['FeaturesHook']


@HOOKS.register_module()
class FeaturesHook(Hook):
    """While testing, put the features of each image into its prediction, as ``features_pooled`` or another stage.

    Only the stages that a metric asks for with its ``feature_stage`` (``mmpod.FeatureSpectrum``); without such a metric
    the hook does nothing. It listens to the head and the model through PyTorch's forward hooks and leaves none behind.
    With test-time augmentation, where an image has several feature vectors, those metrics are left out.
    """

    def before_test(self, runner: Runner) -> None:
        """Start to listen."""
        self.handles = []
        evaluator = runner.test_evaluator
        stages = {metric.feature_stage for metric in evaluator.metrics if hasattr(metric, 'feature_stage')}
        if not stages:
            return
        model, augmented = plain_model(runner.model)
        if augmented:
            evaluator.metrics = [metric for metric in evaluator.metrics if not hasattr(metric, 'feature_stage')]
            print_log('With --tta an image has several feature vectors: no metric of features.', 'current', level=30)
            return
        seen = {}

        def keep(head: nn.Module, args: tuple, output: Any) -> None:
            seen.update({f'features_{stage}': stage_features(head, args[0], stage) for stage in stages})

        def hand_out(model: nn.Module, args: tuple, output: list[DataSample]) -> None:
            for name, features in seen.items():
                for sample, row in zip(output, features):
                    sample.set_field(row, name)
            seen.clear()

        self.handles += [model.head.register_forward_hook(keep), model.register_forward_hook(hand_out)]

    def after_test(self, runner: Runner) -> None:
        """Stop to listen."""
        for handle in self.handles:
            handle.remove()
