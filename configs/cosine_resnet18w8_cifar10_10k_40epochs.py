"""Cosine Loss for 40 epochs on 10,000 images of CIFAR-10, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/cosine_resnet18w8_cifar10_10k_40epochs.py
"""

_base_ = ['cosine_resnet18w8_cifar10_10k.py']

# The proportions of 15 epochs.
param_scheduler = dict(milestones=[24, 35])
train_cfg = dict(max_epochs=40)
