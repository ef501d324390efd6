# Tiny ImageNet from the folder in the environment variable TINYIMAGENET_ROOT, in its official layout.
# As in the authors' released code: (0.507, 0.487, 0.441) and (0.267, 0.256, 0.276) times 255.
data_preprocessor = dict(num_classes=200, mean=[129.285, 124.185, 112.455], std=[68.085, 65.28, 70.38], to_rgb=True)

dataset = dict(type='mmpod.TinyImageNet', data_root='{{$TINYIMAGENET_ROOT:data/tiny-imagenet-200}}')
train_dataloader = dict(
    batch_size=128,
    num_workers=2,
    dataset=dict(
        split='train',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='RandomCrop', crop_size=64, padding=4),
            dict(type='RandomFlip', prob=0.5, direction='horizontal'),
            dict(type='PackInputs'),
        ],
        **dataset,
    ),
    sampler=dict(type='DefaultSampler', shuffle=True),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=2,
    dataset=dict(split='val', pipeline=[dict(type='LoadImageFromFile'), dict(type='PackInputs')], **dataset),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = dict(type='Accuracy', topk=(1, 5))
test_dataloader = val_dataloader
test_evaluator = [val_evaluator, dict(type='mmpod.FeatureSpectrum')]  # Table IV
