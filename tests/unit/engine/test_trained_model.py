"""A classifier gets all weights of a checkpoint, and the names of the classes, from any kind of config."""

import mmpretrain
import pytest
from mmengine.config import Config

from mmpod.engine import get_model
from mmpod.utils.errors import UserError

DIGITS = 'configs/small/pod_digits.py'


def test_get_model_is_strict_and_knows_the_classes(root, saved):
    weights = mmpretrain.get_model(root / DIGITS).state_dict()
    model = get_model(root / DIGITS, saved(weights, meta=dict(dataset_meta=dict(classes=list('abcdefghij')))))
    assert model._dataset_meta['classes'] == list('abcdefghij') and not model.training
    softmax = mmpretrain.get_model(root / 'configs/small/softmax_digits.py').state_dict()
    with pytest.raises(UserError, match='head.fc.weight'):
        get_model(root / DIGITS, saved(softmax))


@pytest.mark.parametrize(
    'change, expected',
    [
        (lambda data: dict(data, metainfo=dict(classes=list('abcdefghij'))), list('abcdefghij')),
        (lambda data: dict(data, classes=tuple('abcdefghij')), list('abcdefghij')),
        (lambda data: dict(data, metainfo=dict(classes='names.txt')), ['one', 'two']),
        (lambda data: dict(data, metainfo=dict(classes='nowhere.txt')), None),
        (lambda data: dict(type='ConcatDataset', datasets=[data]), list('0123456789')),
        (lambda data: dict(type='CustomDataset', pipeline=[]), None),
    ],
    ids=['metainfo', 'classes', 'file', 'missing file', 'inside a wrapper', 'named by the folders'],
)
def test_names_that_the_config_gives_go_before_those_of_the_dataset_class(
    change, expected, root, saved, tmp_path, monkeypatch
):
    (tmp_path / 'names.txt').write_text('one\ntwo\n')
    cfg = Config.fromfile(root / DIGITS)
    monkeypatch.chdir(tmp_path)
    cfg.test_dataloader.dataset = change(cfg.test_dataloader.dataset.to_dict())
    weights = saved(mmpretrain.get_model(cfg).state_dict())
    assert get_model(cfg, weights)._dataset_meta.get('classes') == expected
