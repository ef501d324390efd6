"""POD Loss with 512 feature dimensions on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/pod_resnet18w8_tinyimagenet20_dim512.py
"""

_base_ = ['pod_resnet18w8_tinyimagenet20.py']

model = dict(head=dict(feat_dim=512))
