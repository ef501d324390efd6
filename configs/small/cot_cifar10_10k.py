"""Complement Objective Training on 10,000 images of CIFAR-10, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/cot_cifar10_10k.py
"""

_base_ = ['softmax_cifar10_10k.py']

model = dict(type='mmpod.COTClassifier')
optim_wrapper = dict(constructor='mmpod.COTOptimWrapperConstructor')
model_wrapper_cfg = dict(type='mmpod.COTDistributedDataParallel')
