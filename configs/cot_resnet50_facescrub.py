"""Complement Objective Training on FaceScrub: Table III of arXiv 2111.15449 v1, which reports 90.40 %.

python tools/train.py configs/cot_resnet50_facescrub.py
"""

_base_ = ['softmax_resnet50_facescrub.py']

model = dict(type='mmpod.COTClassifier')
optim_wrapper = dict(constructor='mmpod.COTOptimWrapperConstructor')
model_wrapper_cfg = dict(type='mmpod.COTDistributedDataParallel')
