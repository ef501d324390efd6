"""Softmax with cross entropy on FaceScrub: Tables III and VI of arXiv 2111.15449 v1, which report 89.10 %.

python tools/train.py configs/softmax_resnet50_facescrub.py
"""

_base_ = [
    '_base_/models/softmax_resnet50_64px.py',
    '_base_/datasets/facescrub_bs128.py',
    '_base_/schedules/paper_bs128.py',
    '_base_/default_runtime.py',
]
