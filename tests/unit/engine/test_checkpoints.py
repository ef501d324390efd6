"""Weights load completely or not at all. A model that drops derived tables stands for SwinTransformerV2."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.config import ConfigDict
from mmpretrain.models.backbones import SwinTransformerV2
from torch import nn
from torch.testing import assert_close

from mmpod.engine import CheckWeightsHook
from mmpod.engine.checkpoints import check_checkpoint_file, load_weights
from mmpod.models import LearnedPrototypeHead
from mmpod.utils.errors import UserError

DIGITS = 'configs/small/pod_digits.py'


def network():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def test_all_weights_load(saved):
    source, model = network(), network()
    weights = {f'module.{name}': value for name, value in source.state_dict().items() if 'tracked' not in name}
    assert load_weights(model, saved(weights, meta=dict(epoch=3)))['meta'] == dict(epoch=3)
    assert_close(model[0].weight, source[0].weight)


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


@pytest.mark.parametrize('epoch, similarity', [(1, 'cosine'), (2, 'dot'), (3, 'cosine')])
def test_weights_are_loaded_for_the_loss_that_they_were_saved_with(epoch, similarity, saved):
    """The config replaces the loss in the course of the training, and the head predicts as its loss compares."""
    later = {2: dict(type='mmpod.LSoftmaxLoss'), 3: dict(type='mmpod.ASoftmaxLoss')}
    schedule = [dict(action_epoch=first, loss=loss) for first, loss in later.items()]
    model, source = nn.Module(), nn.Module()
    model._config = ConfigDict(custom_hooks=[dict(type='mmpretrain.SwitchRecipeHook', schedule=schedule)])
    model.head = LearnedPrototypeHead(3, 4, dict(type='mmpod.AMSoftmaxLoss'))
    source.head = LearnedPrototypeHead(3, 4, later.get(epoch, dict(type='mmpod.AMSoftmaxLoss')))
    load_weights(model, saved(source.state_dict(), meta=dict(epoch=epoch)))
    assert type(model.head.loss_module) is type(source.head.loss_module) and model.head.similarity == similarity
    assert_close(model.state_dict(), source.state_dict())


def test_hook_refuses_evaluations_and_leaves_fine_tuning_alone():
    runner = SimpleNamespace(model=network(), _load_from='softmax.pth', _resume=False, hooks=[])
    part = dict(state_dict=dict(list(network().state_dict().items())[:1]))
    for stage in ('before_test', 'before_val'):
        hook = CheckWeightsHook()
        hook.after_load_checkpoint(runner, part)
        with pytest.raises(UserError, match='softmax.pth.*5 missing'):
            getattr(hook, stage)(runner)
        hook.after_load_checkpoint(runner, part)
        hook.before_train(runner)
        getattr(hook, stage)(runner)
        hook.after_load_checkpoint(runner, dict(state_dict=network().state_dict()))
        getattr(hook, stage)(runner)


def test_hook_compares_what_was_loaded_though_the_runner_takes_it_apart():
    """MMEngine's FlexibleRunner removes the weights from the dict that it has shown to the hooks."""
    runner, hook = (
        SimpleNamespace(model=network(), _load_from='softmax.pth', _resume=False, hooks=[]),
        CheckWeightsHook(),
    )
    checkpoint = dict(meta=dict(epoch=1), state_dict=network().state_dict())
    hook.after_load_checkpoint(runner, checkpoint)
    weights = checkpoint.pop('state_dict')
    hook.before_test(runner)
    assert_close(runner.model.state_dict(), weights)


def test_hook_refuses_to_resume_with_other_weights():
    runner, hook = (
        SimpleNamespace(model=network(), _load_from='epoch_1.pth', _resume=True, hooks=[]),
        CheckWeightsHook(),
    )
    hook.after_load_checkpoint(runner, dict(state_dict=network().state_dict()))
    other = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3, affine=False))
    with pytest.raises(UserError, match='epoch_1.pth.*2 missing.*load_from=epoch_1.pth and another --work-dir'):
        hook.after_load_checkpoint(runner, dict(state_dict=other.state_dict()))


def test_other_files_are_named_as_such(tmp_path, saved):
    whole = saved({}).read_bytes()
    for content in (b'epoch 1\n', b'', whole[: len(whole) // 2]):
        (tmp_path / 'other.pth').write_bytes(content)
        with pytest.raises(UserError, match=f'`{tmp_path}/other.pth` to be a checkpoint, but it is another kind of'):
            check_checkpoint_file(tmp_path / 'other.pth')
    with pytest.raises(FileNotFoundError, match=f'{tmp_path}/nowhere.pth'):
        check_checkpoint_file(tmp_path / 'nowhere.pth')
    check_checkpoint_file('https://example.org/weights.pth')
