"""Gaussian discriminant analysis on 10,000 images of CIFAR-10; see docs/results.md. CHECKPOINT comes from
pod_cifar10_10k.py.

python tools/test.py configs/small/gda_cifar10_10k.py CHECKPOINT
"""

_base_ = ['pod_cifar10_10k.py']

model = dict(type='mmpod.GDAClassifier', covariance='class', shrinkage='auto')
custom_hooks = [dict(type='mmpod.FitGDAHook'), dict(type='mmpod.OpenSetHook')]
test_evaluator = [dict(type='mmpod.CosineAccuracy', topk=(1,)), dict(type='Accuracy', topk=(1,), prefix='gda')]
