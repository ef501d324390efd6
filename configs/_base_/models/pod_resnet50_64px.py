_base_ = ['softmax_resnet50_64px.py']

model = dict(
    head=dict(
        _delete_=True,
        type='mmpod.PEDCCHead',
        num_classes=100,
        in_channels=2048,
        feat_dim=512,
        loss=dict(type='mmpod.PODLoss', sc_weight=1.0),
    )
)
