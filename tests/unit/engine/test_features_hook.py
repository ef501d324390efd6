"""Models whose features cannot be measured; tests/unit/evaluation has the measures."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.models import ImageClassifier, ImageToImageRetriever, MultiTaskHead

from mmpod.engine import FeaturesHook
from mmpod.evaluation import FeatureSpectrum
from mmpod.utils.errors import UserError


def runner_of(model, *metrics):
    return SimpleNamespace(model=model, val_loop=object(), val_evaluator=Evaluator(metrics))


def test_models_without_features_are_refused_before_training():
    tasks = ImageClassifier(backbone=dict(type='mmpretrain.LeNet5'))
    tasks.head = MultiTaskHead({})
    retriever = ImageToImageRetriever(torch.nn.Identity(), prototype='gallery.pth')
    for model, got in (
        (tasks, 'ImageClassifier with MultiTaskHead'),
        (retriever, 'ImageToImageRetriever with NoneType'),
    ):
        with pytest.raises(UserError, match=f'for FeatureGeometry, but got {got}.*features.geometry=False'):
            FeaturesHook(geometry=True).before_train(runner_of(model))
        FeaturesHook().before_train(runner_of(model))
    FeaturesHook().before_train(runner_of(tasks, FeatureSpectrum()))  # of the pooled features
    FeaturesHook(geometry=True).before_train(SimpleNamespace(val_loop=None))
