"""POD Loss on CIFAR-10 with 64 feature dimensions: Table I of arXiv 2111.15449 v1, which reports 93.77 %.

python tools/train.py configs/pod_resnet50_cifar10_dim64.py
"""

_base_ = ['pod_resnet50_cifar10.py']

model = dict(head=dict(feat_dim=64))
