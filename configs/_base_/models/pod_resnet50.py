_base_ = ['mmpretrain::_base_/models/resnet50.py']

model = dict(
    head=dict(
        _delete_=True,
        type='mmpod.PEDCCHead',
        num_classes=1000,
        in_channels=2048,
        feat_dim=2048,
        loss=dict(type='mmpod.PODLoss', sc_weight=1.0),
    )
)
