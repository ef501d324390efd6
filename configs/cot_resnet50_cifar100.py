"""Complement Objective Training on CIFAR-100: Table III of arXiv 2111.15449 v1, which reports 74.03 %.

python tools/train.py configs/cot_resnet50_cifar100.py
"""

_base_ = ['softmax_resnet50_cifar100.py']

model = dict(type='mmpod.COTClassifier')
optim_wrapper = dict(constructor='mmpod.COTOptimWrapperConstructor')
model_wrapper_cfg = dict(type='mmpod.COTDistributedDataParallel')
