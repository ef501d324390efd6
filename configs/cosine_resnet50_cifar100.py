"""Cosine Loss on CIFAR-100: Tables III and V of arXiv 2111.15449 v1, which report 76.23 %.

python tools/train.py configs/cosine_resnet50_cifar100.py
"""

_base_ = ['pod_resnet50_cifar100.py']

model = dict(head=dict(loss=dict(sc_weight=0.0)))
