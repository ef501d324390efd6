"""Softmax with label smoothing on 20 classes of Tiny ImageNet, CIFAR-10's settings; see docs/results.md.

python tools/train.py configs/softmax_resnet18w8_tinyimagenet20_smoothed.py
"""

_base_ = ['softmax_resnet18w8_tinyimagenet20_warmup.py']

model = dict(
    head=dict(loss=dict(_delete_=True, type='mmpretrain.LabelSmoothLoss', label_smooth_val=0.1, mode='original'))
)
optim_wrapper = dict(optimizer=dict(lr=0.2))
