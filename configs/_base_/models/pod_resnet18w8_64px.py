_base_ = ['softmax_resnet18w8_64px.py']

model = dict(
    head=dict(
        _delete_=True,
        type='mmpod.PEDCCHead',
        num_classes=20,
        in_channels=64,
        feat_dim=256,
        loss=dict(type='mmpod.PODLoss', sc_weight=1.0),
    )
)
