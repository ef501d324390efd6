"""AM-Softmax with the original s = 30 and m = 0.35 on CIFAR-10; arXiv 2111.15449 v1 reports no number.

python tools/train.py configs/amsoftmax_resnet50_cifar10_s30.py
"""

_base_ = ['softmax_resnet50_cifar10.py']

model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.AMSoftmaxLoss', scale=30.0, margin=0.35),
    )
)
