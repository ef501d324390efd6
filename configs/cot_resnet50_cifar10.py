"""Complement Objective Training on CIFAR-10; arXiv 2111.15449 v1 reports no number.

python tools/train.py configs/cot_resnet50_cifar10.py
"""

_base_ = ['softmax_resnet50_cifar10.py']

model = dict(type='mmpod.COTClassifier')
optim_wrapper = dict(constructor='mmpod.COTOptimWrapperConstructor')
model_wrapper_cfg = dict(type='mmpod.COTDistributedDataParallel')
