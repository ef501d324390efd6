"""PEDCC-MSE (Eq. 12) on 10,000 images of CIFAR-10, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/pedccmse_cifar10_10k.py
"""

_base_ = ['cosine_cifar10_10k.py']

model = dict(head=dict(loss=dict(power=1)))
