import pytest
from mmengine.config import Config

from mmpod.engine.config_keys import check_known_keys, require_sections
from mmpod.utils.errors import UserError

DIGITS = 'configs/small/pod_digits.py'


@pytest.mark.parametrize(
    'key, meant',
    [
        ('optim_wraper', 'optim_wrapper'),
        ('param_schedulers', 'param_scheduler'),
        ('train_datalaoder', 'train_dataloader'),
        ('custom_hook', 'custom_hooks'),
        ('Randomness', 'randomness'),
        ('tta_modell', 'tta_model'),
    ],
)
@pytest.mark.parametrize('place', ['option', 'file'])
def test_misspelt_keys_are_refused(key, meant, place, root, tmp_path):
    (tmp_path / 'own.py').write_text(f"_base_ = ['{root / DIGITS}']\n" + (f'{key} = 1\n' if place == 'file' else ''))
    cfg = Config.fromfile(tmp_path / 'own.py')
    if place == 'option':
        cfg.merge_from_dict({f'{key}.optimizer.lr': 0.3})
    with pytest.raises(UserError, match=f"'{key}', which nothing reads. Did you mean '{meant}'"):
        check_known_keys(cfg)


def test_variables_of_a_config_are_its_own(root, tmp_path):
    lines = [
        f"_base_ = ['{root / DIGITS}']",
        'size = 8',
        'optim_wrapper2 = dict(clip_grad=None)',  # close to a known one, but used below
        'optim_wrapper = optim_wrapper2',
        'norm_cfg, base_lr, num_epochs, train_pipeline = None, 0.1, 3, []',
    ]
    (tmp_path / 'own.py').write_text('\n'.join(lines))
    check_known_keys(Config.fromfile(tmp_path / 'own.py'))


def test_missing_sections_are_named(root):
    require_sections(Config.fromfile(root / DIGITS), 'model', 'train_cfg')
    with pytest.raises(UserError, match='but train_cfg, optim_wrapper is missing'):
        require_sections(Config(dict(model=1, train_cfg=None)), 'model', 'train_cfg', 'optim_wrapper')


def test_classes_that_a_pure_python_config_imports_are_not_keys(pure_python):
    child = pure_python.with_name('child.py')
    child.write_text('from mmengine.config import read_base\nwith read_base():\n    from .pure_python import *\n')
    cfg = Config.fromfile(child)
    assert 'ClsDataPreprocessor' in cfg
    check_known_keys(cfg)
    cfg.train_datalaoder = dict()
    with pytest.raises(UserError, match="'train_datalaoder'"):
        check_known_keys(cfg)
