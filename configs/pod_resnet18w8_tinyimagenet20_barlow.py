"""POD Loss with Barlow Twins' decorrelation on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/pod_resnet18w8_tinyimagenet20_barlow.py
"""

_base_ = ['pod_resnet18w8_tinyimagenet20.py']

# Correlations add up to about D^2 / N, 1,000 times the cosine term.
model = dict(head=dict(loss=dict(decorrelation='barlow', sc_weight=1e-3)))
