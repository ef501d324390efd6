# 15 epochs: one epoch of warm-up, then a cosine schedule down to 0; twice the paper's weight decay.
_base_ = ['small_bs64.py']

optim_wrapper = dict(optimizer=dict(weight_decay=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, end=1, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', T_max=14, by_epoch=True, begin=1, end=15, convert_to_iter_based=True),
]
