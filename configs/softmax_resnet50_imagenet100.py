"""Softmax on the first 100 classes of ImageNet: Table VI of arXiv 2111.15449 v1, which reports 78.25 %.

python tools/train.py configs/softmax_resnet50_imagenet100.py
"""

_base_ = [
    'mmpretrain::_base_/models/resnet50.py',
    '_base_/datasets/imagenet100_bs96.py',
    '_base_/schedules/paper_bs96.py',
    '_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=100))
