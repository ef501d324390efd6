import json

import pytest
import torch
from data_samples import samples_of
from mmengine.runner import get_state_dict, load_checkpoint
from mmpretrain.evaluation import Accuracy
from mmpretrain.registry import MODELS
from torch.testing import assert_close

from mmpod.functional import numerics, pedcc
from mmpod.models import PEDCCHead
from mmpod.models.centroid_sources import digest


def test_structure():
    head = PEDCCHead(10, 32, 16, seed=4)
    assert head.fc.in_features == 32 and head.fc.out_features == 16 and head.fc.bias is not None
    assert_close(head.centroids, pedcc(10, 16, seed=4).float(), rtol=0, atol=0)
    assert 'centroids' in head.state_dict()
    assert {name for name, _ in head.named_parameters()} == {'fc.weight', 'fc.bias'}


def test_predict_scores_are_half_of_one_plus_cosine():
    head = PEDCCHead(4, 6, 5)
    pooled = torch.randn(3, 6)
    cosines = head(pooled)
    for given in (None, samples_of([0, 1, 2])):
        for cosine, sample in zip(cosines, head.predict((pooled,), given)):
            assert_close(sample.pred_score, (1 + cosine) / 2)
            assert sample.pred_label.item() == max(range(4), key=lambda k: float(cosine[k].detach()))


def test_top5_counts_hits_of_negative_cosine():
    """With K = 6 centroids most cosines are negative; mmpretrain's Accuracy would drop their hits."""
    head, pooled, labels = PEDCCHead(6, 8, 7), torch.randn(200, 8), torch.randint(6, (200,))
    metric = Accuracy(topk=(1, 5))
    metric.process(None, [s.to_dict() for s in head.predict((pooled,), samples_of(labels))])
    measured = metric.evaluate(200)
    order = head(pooled).argsort(dim=1, descending=True).tolist()
    for k in (1, 5):
        plain = 100 * sum(int(y) in ranked[:k] for y, ranked in zip(labels, order)) / 200
        assert_close(measured[f'accuracy/top{k}'], plain, rtol=0, atol=1e-3)


def test_batch_augmentations_train_with_it():
    model = MODELS.build(
        dict(
            type='mmpretrain.ImageClassifier',
            backbone=dict(type='mmpretrain.ResNet_CIFAR', depth=18, base_channels=8, stem_channels=8),
            neck=dict(type='mmpretrain.GlobalAveragePooling'),
            head=dict(type='mmpod.PEDCCHead', num_classes=5, in_channels=64, feat_dim=16),
            train_cfg=dict(augments=[dict(type='Mixup', alpha=1.0), dict(type='CutMix', alpha=1.0)]),
            data_preprocessor=dict(num_classes=5, mean=[0.0] * 3, std=[1.0] * 3),
        )
    )
    data = dict(inputs=torch.rand(4, 3, 8, 8), data_samples=samples_of([0, 1, 2, 3]))
    batch = model.data_preprocessor(data, training=True)
    assert 'gt_score' in batch['data_samples'][0]
    losses = model(**batch, mode='loss')
    sum(losses.values()).backward()
    assert set(losses) == {'loss_cosine', 'loss_sc'} and model.head.fc.weight.grad.abs().max() > 0
    model.head.cal_acc = True
    with pytest.raises(ValueError, match='cal_acc'):
        model(**batch, mode='loss')


@pytest.mark.parametrize(
    'dtype',
    [
        torch.bfloat16,
        pytest.param(
            torch.float16,
            marks=pytest.mark.skipif(
                not numerics.AUTOCAST_BY_DEVICE, reason='PyTorch before 2.4 has no float16 autocast on a CPU'
            ),
        ),
    ],
)
def test_projection_and_cosines_are_in_float32_under_autocast(dtype):
    head, pooled = PEDCCHead(4, 6, 5), torch.randn(3, 6, generator=torch.Generator().manual_seed(0)).to(dtype)
    with torch.autocast('cpu', dtype):
        features = head.pre_logits(pooled)
        cosines = head((pooled,))
    assert features.dtype == cosines.dtype == torch.float32
    exact = pooled.double() @ head.fc.weight.double().T + head.fc.bias.double()
    assert_close(features, exact.float())
    assert_close(cosines, (torch.nn.functional.normalize(exact) @ head.centroids.double().T).float())


def test_a_head_in_half_precision_computes_in_it():
    head = PEDCCHead(4, 6, 5).to(torch.bfloat16)
    assert head.pre_logits(torch.randn(3, 6)).dtype == torch.bfloat16
    assert head((torch.randn(3, 6),)).dtype == torch.float32


@pytest.mark.parametrize('centroids, num_classes', [('pedcc', 6), ('spread', 10), ('spread', 40), ('spread', 288)])
def test_centroids_are_of_unit_length(centroids, num_classes):
    rows = PEDCCHead(num_classes, 3, 16, centroids=centroids).centroids
    assert rows.dtype == torch.float32
    assert_close(rows.double().norm(dim=1), torch.ones(num_classes).double(), rtol=0, atol=2e-7)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_centroids_of_a_checkpoint_in_other_precision_are_of_unit_length(dtype):
    state = {name: value.to(dtype) for name, value in PEDCCHead(20, 6, 32, seed=1).state_dict().items()}
    head = PEDCCHead(20, 6, 32)
    head.load_state_dict(state)
    assert_close(head.centroids.double().norm(dim=1), torch.ones(20).double(), rtol=0, atol=2e-7)
    assert_close(head.centroids, pedcc(20, 32, seed=1).float(), rtol=0, atol=2e-3)


@pytest.mark.parametrize('value, words', [(0.0, 'length 0'), (float('nan'), 'length nan'), (3.0, 'length')])
def test_centroids_of_a_checkpoint_that_are_not_unit_vectors_are_refused(value, words):
    state = PEDCCHead(4, 6, 5).state_dict()
    state['centroids'][2] = value
    with pytest.raises(ValueError, match=f'`centroids` in the checkpoint.*unit.*{words}.*class 2'):
        PEDCCHead(4, 6, 5).load_state_dict(state)


def test_every_row_of_a_long_checkpoint_is_checked():
    head, rows = PEDCCHead(4, 6, 5), torch.ones(2**16 + 1, 1)
    head.centroids, rows[-1] = torch.ones_like(rows), 3
    with pytest.raises(ValueError, match='length 3 for class 65536'):
        head.load_state_dict({**head.state_dict(), 'centroids': rows})


class Wrapper(torch.nn.Module):
    def __init__(self, head):
        super().__init__()
        self.head = head


@pytest.mark.parametrize('seed, times', [(3, 0), (4, 1)])
def test_other_centroids_in_a_checkpoint_are_named(seed, times, monkeypatch):
    said = []
    monkeypatch.setattr('mmpod.models.heads.pedcc_head.print_log', lambda text, **_: said.append(text))
    saved, head = PEDCCHead(4, 6, 5, seed=3), PEDCCHead(4, 6, 5, seed=seed)
    head.load_state_dict(saved.state_dict())
    assert_close(head.centroids, saved.centroids)
    assert len(said) == times and all('centroids of the checkpoint replace those of the config' in one for one in said)


@pytest.fixture
def small_tables_count_as_large(monkeypatch):
    monkeypatch.setattr('mmpod.functional.centroids_spread.LARGE_TABLE', 1000)


def large(seed=0):
    return Wrapper(PEDCCHead(288, 6, 16, seed=seed, centroids='spread'))


def test_a_large_table_is_saved_as_a_recipe(small_tables_count_as_large, tmp_path):
    saved = large(seed=1)
    state = saved.state_dict()
    assert set(state) == {'head.fc.weight', 'head.fc.bias', 'head.centroids_recipe'}
    assert sum(value.numel() for value in state.values()) < 500
    torch.save(dict(state_dict=get_state_dict(saved)), tmp_path / 'head.pth')
    for seed in (1, 2):  # the same table, and one that has to be built again
        for load in ('mmengine', 'torch'):
            other = large(seed)
            if load == 'torch':
                other.load_state_dict(state, strict=True)
            else:
                load_checkpoint(other, str(tmp_path / 'head.pth'), strict=True)
            assert_close(other.head.centroids, saved.head.centroids, rtol=0, atol=0)
            assert_close(other.state_dict(), state, rtol=0, atol=0)


def test_rows_in_a_checkpoint_win_over_a_recipe(small_tables_count_as_large):
    """As written by a version with another limit: from then on the rows are saved."""
    head, rows = large().head, torch.nn.functional.normalize(torch.randn(288, 16))
    head.load_state_dict({**PEDCCHead(4, 6, 16).state_dict(), 'centroids': rows})
    assert_close(head.state_dict()['centroids'], rows)


def test_a_recipe_of_a_table_that_this_version_saves_itself_stays_whole():
    head = PEDCCHead(12, 4, 6, centroids='spread')
    parts = dict(centroids='spread', num_classes=12, feat_dim=6, seed=0, sha256=digest(head.centroids))
    state = head.state_dict()
    del state['centroids']
    head.load_state_dict({**state, 'centroids_recipe': recipe(**parts)})
    assert json.loads(bytes(head.state_dict()['centroids_recipe'].tolist())) == parts


def recipe(**changes):
    return torch.tensor(list(json.dumps(changes).encode()), dtype=torch.uint8)


@pytest.mark.parametrize(
    'text, words',
    [
        (recipe(num_classes=288, feat_dim=16, seed=0, sha256='0'), 'SHA-256 differs'),
        (recipe(num_classes=288, feat_dim=16, seed=-1, sha256='0'), '`seed`'),
        (recipe(num_classes=10**9, feat_dim=16, seed=0, sha256='0'), r'\(288, 16\), but got \(1000000000, 16\)'),
        (recipe(num_classes=288), 'written by mmpod'),
        (recipe(), 'written by mmpod'),
        (torch.full((10**6,), ord('['), dtype=torch.uint8), 'written by mmpod'),
        (torch.ones(3, 3), 'written by mmpod'),
        (torch.tensor([300, -1]), 'written by mmpod'),
    ],
)
def test_recipes_that_do_not_hold_are_refused(text, words, small_tables_count_as_large):
    model = large()
    with pytest.raises(ValueError, match=words):
        model.load_state_dict({**model.state_dict(), 'head.centroids_recipe': text})


def test_centroids_of_another_shape_are_refused(tmp_path):
    torch.save(dict(state_dict=PEDCCHead(4, 6, 5).state_dict()), tmp_path / 'head.pth')
    with pytest.raises(ValueError, match=r'centroids.*\(3, 5\).*\(4, 5\)'):
        load_checkpoint(PEDCCHead(3, 6, 5), str(tmp_path / 'head.pth'))


def test_checkpoint_without_centroids_loads_the_rest(tmp_path):
    torch.save(dict(state_dict={'fc.weight': torch.ones(5, 6)}), tmp_path / 'head.pth')
    head = PEDCCHead(4, 6, 5)
    load_checkpoint(head, str(tmp_path / 'head.pth'))
    assert_close(head.centroids, pedcc(4, 5).float())


@pytest.mark.parametrize(
    'change, error',
    [
        (dict(num_classes=10), ValueError),
        (dict(num_classes=1), ValueError),
        (dict(in_channels=0), ValueError),
        (dict(in_channels='6'), TypeError),
        (dict(feat_dim=0), ValueError),
        (dict(seed=-1), ValueError),
        (dict(topk=(1, 5)), ValueError),
        (dict(norm_cfg=dict(type='BN')), ValueError),
        (dict(norm_cfg=dict(affine=False)), ValueError),
        (dict(norm_cfg='BN1d'), TypeError),
    ],
)
def test_bad_settings(change, error):
    with pytest.raises(error, match='feat_dim' if change == dict(num_classes=10) else next(iter(change))):
        PEDCCHead(**{**dict(num_classes=4, in_channels=6, feat_dim=5), **change})


@pytest.mark.parametrize('shape', [(2, 7), (2, 6, 3, 3)])
def test_features_that_do_not_fit(shape):
    with pytest.raises(ValueError, match=r'in_channels.*6'):
        PEDCCHead(4, 6, 5)((torch.randn(shape),))


def test_norm_after_the_projection():
    head = PEDCCHead(4, 6, 5, norm_cfg=dict(type='BN1d', affine=False))
    pooled = torch.randn(8, 6) + 3
    z = pooled @ head.fc.weight.T + head.fc.bias
    expected = (z - z.mean(dim=0)) / (z.var(dim=0, unbiased=False) + 1e-5).sqrt()
    assert_close(head.pre_logits((pooled,)), expected)
    assert {name for name, _ in head.named_parameters()} == {'fc.weight', 'fc.bias'}
    head.eval()
    assert_close(head.pre_logits((pooled[:1],))[0], head.pre_logits((pooled,))[0])  # running statistics, any batch


def test_layer_norm_takes_a_training_batch_of_one():
    PEDCCHead(4, 6, 5, norm_cfg=dict(type='LN')).loss((torch.randn(1, 6),), samples_of([0]))
