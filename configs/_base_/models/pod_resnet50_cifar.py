_base_ = ['mmpretrain::_base_/models/resnet50_cifar.py']

model = dict(
    head=dict(
        _delete_=True,
        type='mmpod.PEDCCHead',
        num_classes=10,
        in_channels=2048,
        feat_dim=256,
        loss=dict(type='mmpod.PODLoss', sc_weight=1.0),
    )
)
