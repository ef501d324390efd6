"""Softmax with cross entropy on Tiny ImageNet: Table VI of arXiv 2111.15449 v1, which reports 60.29 %.

python tools/train.py configs/softmax_resnet50_tinyimagenet.py
"""

_base_ = [
    '_base_/models/softmax_resnet50_64px.py',
    '_base_/datasets/tinyimagenet_bs128.py',
    '_base_/schedules/paper_bs128.py',
    '_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=200))
