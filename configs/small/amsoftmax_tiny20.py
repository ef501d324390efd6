"""AM-Softmax with the paper's s = 5 and m = 0.25 on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/amsoftmax_tiny20.py
"""

_base_ = ['softmax_tiny20.py']

model = dict(
    head=dict(
        type='mmpod.LearnedPrototypeHead',
        loss=dict(_delete_=True, type='mmpod.AMSoftmaxLoss', scale=5.0, margin=0.25),
    )
)
