"""Gaussian discriminant analysis of the demo's features, and its cosine. CHECKPOINT comes from pod_digits.py.

python tools/test.py configs/small/gda_digits.py CHECKPOINT
"""

_base_ = ['pod_digits.py']

model = dict(type='mmpod.GDAClassifier', covariance='class', shrinkage='auto')
custom_hooks = [dict(type='mmpod.FitGDAHook'), dict(type='mmpod.OpenSetHook')]
test_evaluator = [dict(type='mmpod.CosineAccuracy', topk=(1,)), dict(type='Accuracy', topk=(1,), prefix='gda')]
