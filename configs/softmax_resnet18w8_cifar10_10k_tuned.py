"""Softmax on 10,000 images of CIFAR-10, learning rate and loss weight chosen among six; see docs/results.md.

python tools/train.py configs/softmax_resnet18w8_cifar10_10k_tuned.py
"""

_base_ = ['softmax_resnet18w8_cifar10_10k.py']

optim_wrapper = dict(optimizer=dict(lr=0.3))
