"""Cosine Loss on CIFAR-10: Table V of arXiv 2111.15449 v1, which reports 93.83 %.

python tools/train.py configs/cosine_resnet50_cifar10.py
"""

_base_ = ['pod_resnet50_cifar10.py']

model = dict(head=dict(loss=dict(sc_weight=0.0)))
