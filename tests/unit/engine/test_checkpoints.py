"""Weights load completely or not at all. A model that drops derived tables stands for SwinTransformerV2."""

from fractions import Fraction
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.model import ImgDataPreprocessor
from mmpretrain.models import ClsDataPreprocessor
from mmpretrain.models.backbones import SwinTransformerV2
from torch import nn
from torch.testing import assert_close

from mmpod.engine import CheckWeightsHook
from mmpod.engine.checkpoints import check_checkpoint_file, load_weights, normalisation_error
from mmpod.utils.errors import UserError


def network():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def test_all_weights_load(saved):
    source, model = network(), network()
    weights = {f'module.{name}': value for name, value in source.state_dict().items() if 'tracked' not in name}
    assert load_weights(model, saved(weights, meta=dict(epoch=3)))['meta'] == dict(epoch=3)
    assert_close(model[0].weight, source[0].weight)


def test_the_safe_loader_is_required_of_checkpoints_only(saved, tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_FORCE_WEIGHTS_ONLY_LOAD', '')
    monkeypatch.delenv('TORCH_FORCE_WEIGHTS_ONLY_LOAD')
    torch.save(Fraction(1, 2), tmp_path / 'own.pth')
    load_weights(network(), saved(network().state_dict()))
    with pytest.raises(UserError, match='to hold plain data'):
        load_weights(network(), tmp_path / 'own.pth')
    assert torch.load(tmp_path / 'own.pth', weights_only=False) == Fraction(1, 2)


@pytest.mark.parametrize(
    'change, words',
    [
        (lambda weights: weights.pop('0.bias'), '1 missing \\(0.bias\\)'),
        (lambda weights: weights.update(other=torch.zeros(1)), '1 unknown to the model \\(other\\)'),
        (lambda weights: weights.update({'0.weight': torch.zeros(2, 2)}), 'size mismatch for 0.weight'),
        (lambda weights: weights.clear(), '6 missing \\(0.weight, 0.bias, 1.weight and 3 more\\)'),
    ],
    ids=['missing', 'unknown', 'shape', 'empty'],
)
def test_other_weights_are_refused_unless_allowed(change, words, saved):
    weights = network().state_dict()
    change(weights)
    with pytest.raises(UserError, match=f'weights.pth.*{words}.*--allow-missing'):
        load_weights(network(), saved(weights))
    load_weights(network(), saved(weights), allow_missing=True)


def test_what_a_model_drops_from_its_own_weights_is_not_missing(saved):
    arch = dict(embed_dims=8, depths=[1], num_heads=[1], extra_norm_every_n_blocks=0)
    backbone = nn.Sequential(SwinTransformerV2(arch=arch, img_size=32, out_indices=(0,)))
    weights = backbone.state_dict()
    load_weights(backbone, saved(weights))
    weights.pop('0.patch_embed.projection.weight')
    with pytest.raises(UserError, match='1 missing'):
        load_weights(backbone, saved(weights))


def loaded(hook, weights, file='softmax.pth', resume=False, **more):
    """Show a checkpoint to the hook as the Runner does; return the Runner and the checkpoint."""
    runner = SimpleNamespace(model=network(), _load_from=file, _resume=resume, hooks=[])
    checkpoint = dict(state_dict=weights, **more)
    hook.after_load_checkpoint(runner, checkpoint)
    return runner, checkpoint


@pytest.mark.parametrize('stage', ['before_test', 'before_val'])
def test_hook_refuses_evaluations_and_leaves_fine_tuning_alone(stage):
    hook, part = CheckWeightsHook(), dict(list(network().state_dict().items())[:1])
    with pytest.raises(UserError, match='softmax.pth.*5 missing'):
        getattr(hook, stage)(loaded(hook, part)[0])
    runner, _ = loaded(hook, part)
    hook.before_train(runner)
    getattr(hook, stage)(runner)
    getattr(hook, stage)(loaded(hook, network().state_dict())[0])


def test_hook_compares_what_was_loaded_though_the_runner_takes_it_apart():
    """MMEngine's FlexibleRunner removes the weights from the dict that it has shown to the hooks."""
    hook = CheckWeightsHook()
    runner, checkpoint = loaded(hook, network().state_dict(), meta=dict(epoch=1))
    weights = checkpoint.pop('state_dict')
    hook.before_test(runner)
    assert_close(runner.model.state_dict(), weights)


def test_hook_refuses_to_resume_with_other_weights():
    hook = CheckWeightsHook()
    loaded(hook, network().state_dict(), 'epoch_1.pth', resume=True)
    other = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3, affine=False)).state_dict()
    with pytest.raises(UserError, match='epoch_1.pth.*2 missing.*load_from=epoch_1.pth and another --work-dir'):
        loaded(hook, other, 'epoch_1.pth', resume=True)


THREE = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])


def normalising(cls=ClsDataPreprocessor, **settings):
    model = network()
    model.data_preprocessor = cls(**settings)
    return model


def trained_with(preprocessor=None, kind='CustomDataset', **model):
    cfg = Config(dict(model=model, train_dataloader=dict(dataset=dict(type=kind))))
    if preprocessor is not None:
        cfg.data_preprocessor = preprocessor
    return dict(meta=dict(cfg=cfg.pretty_text))


@pytest.mark.parametrize(
    'model, trained, words',
    [
        (normalising(**THREE), trained_with(dict(THREE, to_rgb=True)), 'to_rgb=False instead of True'),
        (
            normalising(mean=[10] * 3, std=[20.0] * 3),
            trained_with(dict(mean=[0], std=[20])),
            r'mean=\[10.0\] .* \[0.0\]',
        ),
        (normalising(), trained_with(dict(mean=[0], std=[255])), r'std=\[1.0\] instead of \[255.0\]'),
        (normalising(**THREE), trained_with(dict(THREE), data_preprocessor=dict(num_classes=3)), r'instead of \[0.0\]'),
        (normalising(), trained_with(dict(to_rgb=True), 'mmpod.SklearnDigits'), 'to_rgb=False instead of True'),
    ],
    ids=['to_rgb', 'mean', 'std', "the model's own comes first", 'mmpod 0.2'],
)
def test_images_are_normalised_as_in_the_training(model, trained, words, saved):
    hook, runner = CheckWeightsHook(), SimpleNamespace(model=model, _load_from='weights.pth', _resume=False, hooks=[])
    content = dict(trained, state_dict=model.state_dict())
    hook.after_load_checkpoint(runner, content)
    with pytest.raises(UserError, match=f'training of `weights.pth`.*{words}.*--allow-missing'):
        hook.before_test(runner)
    with pytest.raises(UserError, match=words):
        load_weights(model, saved(model.state_dict(), **trained))
    load_weights(model, saved(model.state_dict(), **trained), allow_missing=True)
    hook.after_load_checkpoint(runner, content)
    hook.before_train(runner)  # from other weights
    hook.before_val(runner)


@pytest.mark.parametrize(
    'model, trained',
    [
        (normalising(**THREE, to_rgb=True), trained_with(dict(THREE, to_rgb=True))),
        (normalising(mean=[78.0] * 3, std=[96.0] * 3), trained_with(data_preprocessor=dict(mean=[78], std=[96]))),
        (normalising(mean=[0.0], std=[1.0]), trained_with(dict(num_classes=3))),
        (normalising(ImgDataPreprocessor, **THREE, bgr_to_rgb=True), trained_with(dict(THREE, to_rgb=True))),
        (normalising(to_rgb=True), trained_with(dict(num_classes=10), 'mmpod.SklearnDigits')),
        (normalising(**THREE, to_rgb=True), trained_with(dict(THREE), 'CIFAR10')),
        (normalising(mean=[78.0], std=[96.0]), trained_with(dict(mean=[78], std=[96], to_rgb=True))),
        (normalising(**THREE).bfloat16(), trained_with(dict(THREE))),
        (normalising(**THREE), trained_with()),
        (normalising(**THREE), trained_with(dict(mean='unknown'))),
        (normalising(**THREE), dict(meta=dict(cfg='not ( Python'))),
        (normalising(**THREE), dict(meta=dict(epoch=1))),
        (normalising(**THREE), {}),
        (network(), trained_with(dict(THREE))),
    ],
    ids=[
        'same',
        'as many',
        'none',
        'MMEngine',
        'mmpod 0.1',
        'CIFAR',
        'gray',
        'half precision',
        'mmcls',
        'text',
        'syntax',
        'no config',
        'bare',
        'no images',
    ],
)
def test_a_normalisation_that_is_the_same_or_unknown_passes(model, trained):
    assert normalisation_error(model, trained, 'weights.pth') is None


def test_other_files_are_named_as_such(tmp_path, saved):
    whole = saved({}).read_bytes()
    for content in (b'epoch 1\n', b'', whole[: len(whole) // 2]):
        (tmp_path / 'other.pth').write_bytes(content)
        with pytest.raises(UserError, match=f'`{tmp_path}/other.pth` to be a checkpoint, but it is another kind of'):
            check_checkpoint_file(tmp_path / 'other.pth')
    with pytest.raises(FileNotFoundError, match=f'{tmp_path}/nowhere.pth'):
        check_checkpoint_file(tmp_path / 'nowhere.pth')
    check_checkpoint_file('https://example.org/weights.pth')
