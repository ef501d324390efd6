"""AM-Softmax with the paper's s = 5 and m = 0.25 on CIFAR-100: Table III of arXiv 2111.15449 v1, which reports 73.03 %.

python tools/train.py configs/amsoftmax_resnet50_cifar100.py
"""

_base_ = ['softmax_resnet50_cifar100.py']

model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.AMSoftmaxLoss', scale=5.0, margin=0.25),
    )
)
