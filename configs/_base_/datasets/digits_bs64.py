# The handwritten digits of scikit-learn (8 x 8 pixels, 1,297 training and 500 test images); no download.
data_preprocessor = dict(num_classes=10, mean=[78.0] * 3, std=[96.0] * 3, to_rgb=True)

train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(
        type='mmpod.SklearnDigits',
        split='train',
        pipeline=[dict(type='RandomCrop', crop_size=8, padding=1), dict(type='PackInputs')],
    ),
    sampler=dict(type='DefaultSampler', shuffle=True),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(type='mmpod.SklearnDigits', split='test', pipeline=[dict(type='PackInputs')]),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = dict(type='Accuracy', topk=(1,))
test_dataloader = val_dataloader
test_evaluator = val_evaluator
