"""POD Loss on CIFAR-100: Tables V and VI of arXiv 2111.15449 v1, which report 77.70 %.

python tools/train.py configs/pod_resnet50_cifar100.py
"""

_base_ = [
    '_base_/models/pod_resnet50_cifar.py',
    '_base_/datasets/cifar100_bs128.py',
    '_base_/schedules/paper_bs128.py',
    '_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=100, feat_dim=512))
