"""Gaussian discriminant analysis of POD features on Tiny ImageNet: Table VII of arXiv 2111.15449 v1, which
reports 62.16 % by the cosine and 50.09 % by GDA. CHECKPOINT comes from pod_resnet50_tinyimagenet.py.

python tools/test.py configs/gda_resnet50_tinyimagenet.py CHECKPOINT
"""

_base_ = ['pod_resnet50_tinyimagenet.py']

model = dict(type='mmpod.GDAClassifier', covariance='class', shrinkage='auto')
custom_hooks = [dict(type='mmpod.FitGDAHook'), dict(type='mmpod.OpenSetHook')]
test_evaluator = [dict(type='mmpod.CosineAccuracy', topk=(1, 5)), dict(type='Accuracy', topk=(1, 5), prefix='gda')]
