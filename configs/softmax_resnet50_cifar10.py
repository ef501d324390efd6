"""Softmax with cross entropy on CIFAR-10: Table VI of arXiv 2111.15449 v1, which reports 93.71 %.

python tools/train.py configs/softmax_resnet50_cifar10.py
"""

_base_ = [
    'mmpretrain::_base_/models/resnet50_cifar.py',
    '_base_/datasets/cifar10_bs128.py',
    '_base_/schedules/paper_bs128.py',
    '_base_/default_runtime.py',
]
