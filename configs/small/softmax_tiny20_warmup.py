"""Softmax on 20 classes of Tiny ImageNet with warm-up, cosine schedule and CIFAR-10's settings; see docs/results.md.

python tools/train.py configs/small/softmax_tiny20_warmup.py
"""

_base_ = [
    '../_base_/models/softmax_resnet18w8_64px.py',
    '../_base_/datasets/tinyimagenet20_bs64.py',
    '../_base_/schedules/small_warmup_bs64.py',
    '../_base_/default_runtime.py',
]
