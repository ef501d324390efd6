"""A hook that provides features to the metrics that measure them."""

import logging
from typing import Any, Optional

from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch.utils.hooks import RemovableHandle

from mmpod.models.head_features import stage_features
from mmpod.registry import HOOKS, METRICS
from mmpod.utils.errors import UserError

from ..extraction import has_tta, plain_model

__all__ = ['FeaturesHook']


@HOOKS.register_module()
class FeaturesHook(Hook):
    """In validation and tests, give the features of each batch to the metrics that measure them.

    These are the metrics with a ``feature_stage`` (``mmpod.FeatureSpectrum``, ``mmpod.FeatureGeometry``), which also
    get the head. If there is no such metric, the hook does nothing. It uses a PyTorch forward hook and removes it
    afterwards. With test-time augmentation, where an image has several feature vectors, those metrics are left out.

    Args:
        geometry: Add ``mmpod.FeatureGeometry`` to the metrics of validation and test, unless it is listed:
            ``--cfg-options default_hooks.features.geometry=True``.

    Raises:
        UserError: Before training or a test: the model has no such features.
    """

    def __init__(self, geometry: bool = False):
        self.geometry = geometry
        self.handle: Optional[RemovableHandle] = None

    def before_train(self, runner: Runner) -> None:
        """Refuse a model without features before the first epoch starts."""
        if runner.val_loop is not None:
            self._metrics(runner, runner.val_evaluator)

    def before_val(self, runner: Runner) -> None:
        """Register the forward hook."""
        self._register(runner, runner.val_evaluator)

    def before_test(self, runner: Runner) -> None:
        """Register the forward hook."""
        self._register(runner, runner.test_evaluator)

    def _metrics(self, runner: Runner, evaluator: Evaluator) -> list:
        if self.geometry and not any(type(metric).__name__ == 'FeatureGeometry' for metric in evaluator.metrics):
            evaluator.metrics.append(METRICS.build(dict(type='mmpod.FeatureGeometry')))
        metrics = [metric for metric in evaluator.metrics if hasattr(metric, 'feature_stage')]
        model = plain_model(runner.model)
        head = getattr(model, 'head', None)
        for metric in metrics:
            in_head = metric.feature_stage == 'pre_logits'
            if not hasattr(model, 'with_neck') or (in_head and not hasattr(head, 'pre_logits')):
                raise UserError(
                    f'Expected a classifier with one head for {type(metric).__name__}, but got {type(model).__name__} '
                    f'with {type(head).__name__}. Leave the metric out, or set default_hooks.features.geometry=False.'
                )
        return metrics

    def _register(self, runner: Runner, evaluator: Evaluator) -> None:
        metrics = self._metrics(runner, evaluator)
        if metrics and has_tta(runner.model):
            evaluator.metrics = [metric for metric in evaluator.metrics if metric not in metrics]
            message = 'With --tta an image has several feature vectors, so feature metrics are left out.'
            print_log(message, 'current', logging.WARNING)
        elif metrics:
            model = plain_model(runner.model)
            for metric in metrics:
                metric.head = model.head

            def give(module: Any, args: Any, feats: Any) -> None:
                for metric in metrics:
                    metric.batch = stage_features(model.head, feats, metric.feature_stage)

            # The output of this module is the input of the head; a hook of the head would miss its `predict`.
            self.handle = (model.neck if model.with_neck else model.backbone).register_forward_hook(give)

    def after_val(self, runner: Runner) -> None:
        """Remove the forward hook."""
        if self.handle is not None:
            self.handle.remove()
            self.handle = None

    after_test = after_val
