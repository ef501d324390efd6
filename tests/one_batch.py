"""A classifier of a config, and its losses for a batch as a loader gives it."""

import torch
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample


def build(cfg):
    init_default_scope('mmpretrain')
    model = cfg.model.to_dict()
    preprocessor = dict(cfg.get('data_preprocessor') or {}, num_classes=model['head']['num_classes'])
    model.setdefault('data_preprocessor', preprocessor)
    return MODELS.build(model)


def losses_of(model, size=64, channels=3, samples=2):
    """Return the losses, and the samples after the batch augmentations."""
    images = [torch.randint(256, (channels, size, size), dtype=torch.uint8) for _ in range(samples)]
    labels = [DataSample().set_gt_label(index) for index in range(samples)]
    data = model.data_preprocessor(dict(inputs=images, data_samples=labels), training=True)
    return model(**data, mode='loss'), data['data_samples']
