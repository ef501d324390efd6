"""Softmax with cross entropy on ImageNet: Table VI of arXiv 2111.15449 v1, which reports 75.65 %.

python tools/train.py configs/softmax_resnet50_imagenet.py
"""

_base_ = [
    'mmpretrain::_base_/models/resnet50.py',
    '_base_/datasets/imagenet_bs96.py',
    '_base_/schedules/paper_bs96.py',
    '_base_/default_runtime.py',
]
