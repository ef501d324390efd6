"""Cosine Loss on 10,000 images of CIFAR-10, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/cosine_cifar10_10k.py
"""

_base_ = ['pod_cifar10_10k.py']

model = dict(head=dict(loss=dict(sc_weight=0.0)))
