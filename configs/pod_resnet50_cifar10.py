"""POD Loss on CIFAR-10: Tables I (D = 256), V and VI of arXiv 2111.15449 v1, which report 94.31 %.

python tools/train.py configs/pod_resnet50_cifar10.py
"""

_base_ = [
    '_base_/models/pod_resnet50_cifar.py',
    '_base_/datasets/cifar10_bs128.py',
    '_base_/schedules/paper_bs128.py',
    '_base_/default_runtime.py',
]
