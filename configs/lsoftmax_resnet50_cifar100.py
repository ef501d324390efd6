"""L-Softmax with m = 2 on CIFAR-100; arXiv 2111.15449 v1 reports no number.

python tools/train.py configs/lsoftmax_resnet50_cifar100.py
"""

_base_ = ['softmax_resnet50_cifar100.py']

model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.LSoftmaxLoss', margin=2, gamma=1e-5),
    )
)
