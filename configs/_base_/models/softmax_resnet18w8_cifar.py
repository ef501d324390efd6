# ResNet-18 for CIFAR with 8 channels in its first stage instead of 64: small enough for a CPU.
_base_ = ['mmpretrain::_base_/models/resnet18_cifar.py']

model = dict(backbone=dict(stem_channels=8, base_channels=8), head=dict(in_channels=64))
