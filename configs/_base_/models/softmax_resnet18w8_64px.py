# ResNet-18 for 64 x 64 pixels with 8 channels in its first stage instead of 64: small enough for a CPU.
_base_ = ['mmpretrain::_base_/models/resnet18.py']

model = dict(
    backbone=dict(type='mmpod.ResNetSmallImage', stem_channels=8, base_channels=8),
    head=dict(num_classes=20, in_channels=64, topk=(1,)),
)
