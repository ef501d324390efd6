from mmengine.config import Config

from mmpod.utils.config_differences import parse_settings


def test_the_text_of_a_config_gives_its_settings():
    settings = dict(
        seed=None,
        optimizer=dict(type='SGD', lr=1e-3, betas=[0.9, -1], **{'a.b': True}),
        param_scheduler=[dict(milestones=[1, 2]), dict(by_epoch=False)],
    )
    assert parse_settings(Config(settings).pretty_text) == settings


def test_the_text_of_a_config_is_not_executed():
    assert parse_settings('import os\na = os.abort()\nb = -inf') == dict(a='os.abort()', b='-inf')
