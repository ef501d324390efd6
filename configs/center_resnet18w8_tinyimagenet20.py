"""Softmax with Center Loss on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/center_resnet18w8_tinyimagenet20.py
"""

_base_ = ['softmax_resnet18w8_tinyimagenet20.py']

model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.CenterLoss', num_classes=20, feat_dim=64, center_weight=0.003),
    )
)
