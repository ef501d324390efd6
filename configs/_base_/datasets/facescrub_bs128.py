# FaceScrub from the folder in the environment variable FACESCRUB_ROOT: <folder>/train/<person>/*.jpg and
# <folder>/test/<person>/*.jpg, 100 people; images that are not of 64 x 64 pixels are resized.
data_preprocessor = dict(num_classes=100, mean=[129.285, 124.185, 112.455], std=[68.085, 65.28, 70.38], to_rgb=True)

dataset = dict(type='mmpod.FaceScrub', data_root='{{$FACESCRUB_ROOT:data/facescrub}}')
train_dataloader = dict(
    batch_size=128,
    num_workers=2,
    dataset=dict(
        split='train',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(64, 64)),
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
    dataset=dict(
        split='test',
        pipeline=[dict(type='LoadImageFromFile'), dict(type='Resize', scale=(64, 64)), dict(type='PackInputs')],
        **dataset,
    ),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = dict(type='Accuracy', topk=(1, 5))
test_dataloader = val_dataloader
test_evaluator = [val_evaluator, dict(type='mmpod.FeatureSpectrum')]  # Table IV
