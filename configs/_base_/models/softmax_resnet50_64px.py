# ResNet-50 for 64 x 64 pixels: a first convolution of 3 x 3 with stride 1, then the max-pooling (Section IV).
_base_ = ['mmpretrain::_base_/models/resnet50.py']

model = dict(backbone=dict(type='mmpod.ResNetSmallImage'), head=dict(num_classes=100, topk=(1,)))
