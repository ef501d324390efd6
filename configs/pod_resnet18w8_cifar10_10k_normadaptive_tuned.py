"""Norm-adaptive POD Loss on 10,000 images of CIFAR-10, rate and loss weight chosen among six; see docs/results.md.

python tools/train.py configs/pod_resnet18w8_cifar10_10k_normadaptive_tuned.py
"""

_base_ = ['pod_resnet18w8_cifar10_10k_normadaptive.py']

model = dict(head=dict(loss=dict(loss_weight=5.0)))
optim_wrapper = dict(optimizer=dict(lr=0.03))
