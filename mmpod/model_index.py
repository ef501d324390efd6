"""Register the shipped configs for ``mmpretrain.get_model('pod_resnet50_cifar10')`` and ``list_models('pod_*')``."""

from mmpretrain.apis import ModelHub

from mmpod.utils.paths import CONFIGS

__all__ = ['register_models']


def register_models() -> None:
    """Add the models of `model-index.yml`, which is next to the configs, to mmpretrain's hub, once."""
    index = CONFIGS.parent / 'model-index.yml'
    if index.is_file() and not ModelHub.has('pod_resnet50_cifar10'):  # the hub refuses known names
        ModelHub.register_model_index(index, config_prefix=CONFIGS.parent)
