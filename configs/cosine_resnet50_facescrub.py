"""Cosine Loss on FaceScrub: Tables III and V of arXiv 2111.15449 v1, which report 92.11 %.

python tools/train.py configs/cosine_resnet50_facescrub.py
"""

_base_ = ['pod_resnet50_facescrub.py']

model = dict(head=dict(loss=dict(sc_weight=0.0)))
