"""POD Loss on CIFAR-10 with lambda = 1/(D - 1), as in the released code: the sweep that the paper does not print.

python tools/train.py configs/pod_resnet50_cifar10_sc1d.py
"""

_base_ = ['pod_resnet50_cifar10.py']

model = dict(head=dict(loss=dict(sc_weight=1 / 255)))
