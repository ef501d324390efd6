"""POD Loss with Barlow Twins' decorrelation on 20 classes of Tiny ImageNet, narrow ResNet-18; see docs/results.md.

python tools/train.py configs/small/pod_tiny20_barlow.py
"""

_base_ = ['pod_tiny20.py']

# Correlations add up to about D^2 / N, 1,000 times the cosine term.
model = dict(head=dict(loss=dict(decorrelation='barlow', sc_weight=1e-3)))
