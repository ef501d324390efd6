"""The shipped configs under their names: ``mmpretrain.get_model('pod_resnet50_cifar10')``, ``list_models('pod_*')``."""

from mmpretrain.apis import ModelHub

from mmpod.utils.paths import CONFIGS

__all__ = ['register_models']


def register_models() -> None:
    """Enter the models of `model-index.yml`, beside the configs, into mmpretrain's hub, once."""
    index = CONFIGS.parent / 'model-index.yml'
    if index.is_file() and not ModelHub.has('pod_resnet50_cifar10'):  # the hub refuses a name that it has
        ModelHub.register_model_index(index, config_prefix=CONFIGS.parent)
