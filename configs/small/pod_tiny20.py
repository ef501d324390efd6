"""POD Loss on the first 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/pod_tiny20.py
"""

_base_ = [
    '../_base_/models/pod_resnet18w8_64px.py',
    '../_base_/datasets/tinyimagenet20_bs64.py',
    '../_base_/schedules/small_bs64.py',
    '../_base_/default_runtime.py',
]
