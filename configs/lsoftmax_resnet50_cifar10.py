"""L-Softmax with m = 2 on CIFAR-10; arXiv 2111.15449 v1 reports no number.

python tools/train.py configs/lsoftmax_resnet50_cifar10.py
"""

_base_ = ['softmax_resnet50_cifar10.py']

model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.LSoftmaxLoss', margin=2, gamma=1e-5),
    )
)
