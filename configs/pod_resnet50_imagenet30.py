"""POD Loss on the first 30 classes of ImageNet: Table VI of arXiv 2111.15449 v1, which reports 85.40 %.

python tools/train.py configs/pod_resnet50_imagenet30.py
"""

_base_ = [
    '_base_/models/pod_resnet50.py',
    '_base_/datasets/imagenet30_bs96.py',
    '_base_/schedules/paper_bs96.py',
    '_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=30, feat_dim=256))
