"""Cosine Loss on the first 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/cosine_tiny20.py
"""

_base_ = ['pod_tiny20.py']

model = dict(head=dict(loss=dict(sc_weight=0.0)))
