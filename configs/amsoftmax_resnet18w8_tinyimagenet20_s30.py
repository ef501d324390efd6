"""AM-Softmax with the original s = 30 and m = 0.35 on 20 classes of Tiny ImageNet; see docs/results.md.

python tools/train.py configs/amsoftmax_resnet18w8_tinyimagenet20_s30.py
"""

_base_ = ['softmax_resnet18w8_tinyimagenet20.py']

model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.AMSoftmaxLoss', scale=30.0, margin=0.35),
    )
)
