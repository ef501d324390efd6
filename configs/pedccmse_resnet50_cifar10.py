"""PEDCC-MSE (Eq. 12) on CIFAR-10; arXiv 2111.15449 v1 reports no number.

python tools/train.py configs/pedccmse_resnet50_cifar10.py
"""

_base_ = ['cosine_resnet50_cifar10.py']

model = dict(head=dict(loss=dict(power=1)))
