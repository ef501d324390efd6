"""Gaussian discriminant analysis with one covariance for all classes on 20 classes of Tiny ImageNet;
see docs/results.md. CHECKPOINT comes from pod_resnet18w8_tinyimagenet20.py.

python tools/test.py configs/gda_resnet18w8_tinyimagenet20_shared.py CHECKPOINT
"""

_base_ = ['gda_resnet18w8_tinyimagenet20.py']

model = dict(covariance='shared')
