"""Gaussian discriminant analysis on 20 classes of Tiny ImageNet; see docs/results.md. CHECKPOINT comes from
pod_tiny20.py.

python tools/test.py configs/small/gda_tiny20.py CHECKPOINT
"""

_base_ = ['pod_tiny20.py']

model = dict(type='mmpod.GDAClassifier', covariance='class', shrinkage='auto')
custom_hooks = [dict(type='mmpod.FitGDAHook'), dict(type='mmpod.OpenSetHook')]
test_evaluator = [dict(type='mmpod.CosineAccuracy', topk=(1,)), dict(type='Accuracy', topk=(1,), prefix='gda')]
