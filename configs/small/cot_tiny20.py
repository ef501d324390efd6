"""Complement Objective Training on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/cot_tiny20.py
"""

_base_ = ['softmax_tiny20.py']

model = dict(type='mmpod.COTClassifier')
optim_wrapper = dict(constructor='mmpod.COTOptimWrapperConstructor')
model_wrapper_cfg = dict(type='mmpod.COTDistributedDataParallel')
