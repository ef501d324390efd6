"""A-Softmax with m = 4 on CIFAR-100; arXiv 2111.15449 v1 reports no number.

python tools/train.py configs/asoftmax_resnet50_cifar100.py
"""

_base_ = ['softmax_resnet50_cifar100.py']

model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.ASoftmaxLoss', margin=4, gamma=0.12),
    )
)
