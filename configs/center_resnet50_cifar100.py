"""Softmax with Center Loss on CIFAR-100; arXiv 2111.15449 v1 reports no number.

python tools/train.py configs/center_resnet50_cifar100.py
"""

_base_ = ['softmax_resnet50_cifar100.py']

model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.CenterLoss', num_classes=100, feat_dim=2048, center_weight=0.003),
    )
)
