"""POD Loss with the norm-adaptive cosine term on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/pod_tiny20_normadaptive.py
"""

_base_ = ['pod_tiny20.py']

model = dict(head=dict(loss=dict(type='mmpod.NormAdaptivePODLoss')))
custom_hooks = [dict(type='mmpod.NormAdaptiveHook')]
