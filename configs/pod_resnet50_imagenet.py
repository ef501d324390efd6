"""POD Loss on ImageNet: Table VI of arXiv 2111.15449 v1, which reports 75.71 %.

python tools/train.py configs/pod_resnet50_imagenet.py
"""

_base_ = [
    '_base_/models/pod_resnet50.py',
    '_base_/datasets/imagenet_bs96.py',
    '_base_/schedules/paper_bs96.py',
    '_base_/default_runtime.py',
]
