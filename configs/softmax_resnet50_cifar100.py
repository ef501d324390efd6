"""Softmax with cross entropy on CIFAR-100: Tables III and VI of arXiv 2111.15449 v1, which report 73.80 % and 75.56 %.

python tools/train.py configs/softmax_resnet50_cifar100.py
"""

_base_ = [
    'mmpretrain::_base_/models/resnet50_cifar.py',
    '_base_/datasets/cifar100_bs128.py',
    '_base_/schedules/paper_bs128.py',
    '_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=100))
