"""POD Loss with lambda = 10 on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/pod_resnet18w8_tinyimagenet20_sc10.py
"""

_base_ = ['pod_resnet18w8_tinyimagenet20.py']

model = dict(head=dict(loss=dict(sc_weight=10.0)))
