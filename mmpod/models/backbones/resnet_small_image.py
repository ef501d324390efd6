"""ResNet for images of 64 x 64 pixels, Section IV of arXiv 2111.15449 v1."""

from mmcv.cnn import build_conv_layer
from mmpretrain.models.backbones import ResNet

from mmpod.registry import MODELS

__all__ = ['ResNetSmallImage']


@MODELS.register_module()
class ResNetSmallImage(ResNet):
    """ResNet whose first convolution is 3 x 3 with stride 1 instead of 7 x 7 with stride 2; it keeps the max-pooling.

    This is the paper's network for Tiny ImageNet. mmpretrain's ``ResNet_CIFAR`` has no max-pooling.

    Args:
        args, kwargs: Passed to mmpretrain's ``ResNet``; ``deep_stem`` must be False.
    """

    def _make_stem_layer(self, in_channels: int, base_channels: int) -> None:
        if self.deep_stem:
            raise ValueError('Expected `deep_stem` to be False for ResNetSmallImage, but got True. Use ResNetV1c.')
        super()._make_stem_layer(in_channels, base_channels)
        self.conv1 = build_conv_layer(
            self.conv_cfg, in_channels, base_channels, kernel_size=3, stride=1, padding=1, bias=False
        )
