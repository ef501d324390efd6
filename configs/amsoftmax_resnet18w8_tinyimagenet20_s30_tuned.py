"""AM-Softmax with s = 30 and m = 0.35 on 20 classes of Tiny ImageNet, the best of six settings; see docs/results.md.

python tools/train.py configs/amsoftmax_resnet18w8_tinyimagenet20_s30_tuned.py
"""

_base_ = ['amsoftmax_resnet18w8_tinyimagenet20_s30.py']

optim_wrapper = dict(optimizer=dict(lr=0.03))
