"""Softmax on 20 classes of Tiny ImageNet, the best of six settings; see docs/results.md.

python tools/train.py configs/softmax_resnet18w8_tinyimagenet20_tuned.py
"""

_base_ = ['softmax_resnet18w8_tinyimagenet20.py']

model = dict(head=dict(loss=dict(loss_weight=5.0)))
optim_wrapper = dict(optimizer=dict(lr=0.03))
