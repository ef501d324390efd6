"""POD Loss on FaceScrub: Tables V and VI of arXiv 2111.15449 v1, which report 93.01 %.

python tools/train.py configs/pod_resnet50_facescrub.py
"""

_base_ = [
    '_base_/models/pod_resnet50_64px.py',
    '_base_/datasets/facescrub_bs128.py',
    '_base_/schedules/paper_bs128.py',
    '_base_/default_runtime.py',
]
