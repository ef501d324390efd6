"""POD Loss with the norm-adaptive cosine term on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/pod_resnet18w8_tinyimagenet20_normadaptive.py
"""

_base_ = ['pod_resnet18w8_tinyimagenet20.py']

model = dict(head=dict(loss=dict(type='mmpod.NormAdaptivePODLoss')))
custom_hooks = [dict(type='mmpod.NormAdaptiveHook')]
