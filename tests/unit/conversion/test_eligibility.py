"""Names as people write them, and the reasons for what is refused."""

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.models import BaseClassifier, GlobalAveragePooling, ImageClassifier, LinearClsHead, ResNet
from mmpretrain.registry import MODELS

import mmpod
from mmpod.conversion.eligibility import check_convertible
from mmpod.utils.config_parts import resolve


@MODELS.register_module()
class HeadlessClassifier(BaseClassifier):
    def forward(self, inputs, data_samples=None, mode='tensor'):
        return inputs


def config(classifier='ImageClassifier', backbone='ResNet', head='LinearClsHead', **settings):
    model = dict(
        type=classifier,
        backbone=dict(type=backbone, depth=18, base_channels=8, stem_channels=8),
        neck=dict(type=GlobalAveragePooling),
        head=dict(type=head, num_classes=10, in_channels=64, topk=None),
    )
    return Config(dict(model=model, **settings))


@pytest.mark.parametrize(
    'names',
    [
        (ImageClassifier, ResNet, LinearClsHead),
        ('mmpretrain.ImageClassifier', 'mmpretrain.ResNet', 'mmpretrain.LinearClsHead'),
        ('mmpretrain.models.ImageClassifier', 'ResNet', 'mmpretrain.models.heads.LinearClsHead'),
    ],
)
def test_types_as_classes_and_with_prefixes(names):
    head = mmpod.convert(config(*names)).model.head
    assert head.in_channels == 64 and head.topk == (1,)


def test_no_default_scope():
    assert mmpod.convert(config(default_scope=None)).model.head.in_channels == 64


def test_names_are_looked_up_in_the_current_scope():
    init_default_scope('mmpretrain')
    assert resolve('ResNet', MODELS) is resolve('mmpretrain.ResNet', MODELS) is resolve(ResNet, MODELS) is ResNet
    assert resolve('NoSuchNet', MODELS) is None and resolve(None, MODELS) is None


def test_configs_of_mmcls_are_told_where_to_migrate():
    old = Config(dict(model=config().model, data=dict(samples_per_gpu=32), runner=dict(type='EpochBasedRunner')))
    with pytest.raises(ValueError, match=r'it is for mmcls 0.x. Migrate it first: https://\S+migration'):
        mmpod.convert(old)
    with pytest.raises(ValueError, match="replaced mmcls; write 'mmpretrain.ImageClassifier'"):
        mmpod.convert(config('mmcls.ImageClassifier'))
    with pytest.raises(ValueError, match="replaced mmcls; write 'mmpretrain.LinearClsHead'"):
        mmpod.convert(config(head='mmcls.LinearClsHead'))
    mmpod.convert(config(data='a word of the project', train_dataloader=dict(batch_size=2)))


def test_a_loss_of_mmpod_in_a_head_of_the_host_is_refused():
    cfg = config()
    cfg.model.head.loss = dict(type='mmpod.PODLoss', sc_weight=0.1)
    with pytest.raises(
        ValueError, match="PODLoss needs one of mmpod's heads; leave the loss out .*--loss, or set type"
    ):
        mmpod.convert(cfg)
    cfg.model.head.update(type='mmpod.LearnedPrototypeHead', loss=dict(type='mmpod.AMSoftmaxLoss'))
    assert mmpod.convert(cfg).model.head.type == 'mmpod.PEDCCHead'


def test_classifiers_are_refused_for_the_true_reason():
    for kind in ('TimmClassifier', 'mmpretrain.TimmClassifier', resolve('TimmClassifier', MODELS)):
        with pytest.raises(ValueError, match='got .*TimmClassifier: its network contains the head'):
            mmpod.convert(config(kind))
    with pytest.raises(ValueError, match='config of HeadlessClassifier has none to replace. Let the class build'):
        check_convertible(Config(dict(model=dict(type='HeadlessClassifier'))).model)
    with pytest.raises(ValueError, match='got NoSuchClassifier: it is not registered'):
        mmpod.convert(config('NoSuchClassifier'))
