"""POD Loss on CIFAR-10 with 32 feature dimensions: Table I of arXiv 2111.15449 v1, which reports 93.51 %.

python tools/train.py configs/pod_resnet50_cifar10_dim32.py
"""

_base_ = ['pod_resnet50_cifar10.py']

model = dict(head=dict(feat_dim=32))
