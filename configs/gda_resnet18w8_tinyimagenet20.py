"""Gaussian discriminant analysis on 20 classes of Tiny ImageNet; see docs/results.md. CHECKPOINT comes from
pod_resnet18w8_tinyimagenet20.py.

python tools/test.py configs/gda_resnet18w8_tinyimagenet20.py CHECKPOINT
"""

_base_ = ['pod_resnet18w8_tinyimagenet20.py']

model = dict(type='mmpod.GDAClassifier', covariance='class', shrinkage='auto')
custom_hooks = [dict(type='mmpod.FitGDAHook'), dict(type='mmpod.OpenSetHook')]
test_evaluator = [dict(type='mmpod.CosineAccuracy', topk=(1,)), dict(type='Accuracy', topk=(1,), prefix='gda')]
