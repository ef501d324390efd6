"""POD Loss with lambda = 1/(D - 1) on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/pod_resnet18w8_tinyimagenet20_sc1d.py
"""

_base_ = ['pod_resnet18w8_tinyimagenet20.py']

model = dict(head=dict(loss=dict(sc_weight=1 / 255)))
