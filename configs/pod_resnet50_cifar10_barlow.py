"""POD Loss with Barlow Twins' decorrelation instead of the SC term on CIFAR-10; arXiv 2111.15449 v1 reports no number.

python tools/train.py configs/pod_resnet50_cifar10_barlow.py
"""

_base_ = ['pod_resnet50_cifar10.py']

# Correlations add up to about D^2 / N, 1,000 times the cosine term.
model = dict(head=dict(loss=dict(decorrelation='barlow', sc_weight=1e-3)))
