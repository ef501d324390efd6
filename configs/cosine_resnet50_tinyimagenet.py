"""Cosine Loss on Tiny ImageNet: Table V of arXiv 2111.15449 v1, which reports 62.01 %.

python tools/train.py configs/cosine_resnet50_tinyimagenet.py
"""

_base_ = ['pod_resnet50_tinyimagenet.py']

model = dict(head=dict(loss=dict(sc_weight=0.0)))
