"""Softmax on the first 200 classes of ImageNet: Table VI of arXiv 2111.15449 v1, which reports 82.06 %.

python tools/train.py configs/softmax_resnet50_imagenet200.py
"""

_base_ = [
    'mmpretrain::_base_/models/resnet50.py',
    '_base_/datasets/imagenet200_bs96.py',
    '_base_/schedules/paper_bs96.py',
    '_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=200))
