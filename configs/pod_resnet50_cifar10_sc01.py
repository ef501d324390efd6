"""POD Loss on CIFAR-10 with lambda = 0.1: the sweep that the paper does not print.

python tools/train.py configs/pod_resnet50_cifar10_sc01.py
"""

_base_ = ['pod_resnet50_cifar10.py']

model = dict(head=dict(loss=dict(sc_weight=0.1)))
