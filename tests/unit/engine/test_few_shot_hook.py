"""Other classes from a few images of each: the accuracies against scikit-learn on features computed here."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize
from torch.testing import assert_close

import mmpod
from mmpod.datasets import SklearnDigits
from mmpod.engine import FewShotHook
from mmpod.engine.hooks.few_shot_hook import mean_over_positions
from mmpod.engine.runner_session import runner_session
from mmpod.functional.few_shot import draws
from mmpod.utils.errors import UserError


def run(tmp_path, config, support):
    torch.manual_seed(0)
    cfg = Config.fromfile(mmpod.config_file(config))
    cfg.custom_hooks = [dict(type='mmpod.FewShotHook', support=support, query=dict(split='test'), shots=[30])]
    cfg.merge_from_dict(dict(work_dir=str(tmp_path), log_level='ERROR', load_from=None))
    with runner_session(cfg) as runner:
        return runner.model, runner.test()


@torch.no_grad()
def features_of(model, split, stage):
    dataset = SklearnDigits(split=split, pipeline=[])
    samples = [dataset[index] for index in range(len(dataset))]
    images = torch.from_numpy(np.stack([sample['img'] for sample in samples])).permute(0, 3, 1, 2).float()
    inputs = model.data_preprocessor(dict(inputs=list(images.byte())), False)['inputs']
    if stage == 'backbone':
        features = model.backbone(inputs)[0].mean((2, 3))
    else:
        features = model.head.pre_logits(model.neck(model.backbone(inputs)))
    return features.double().numpy(), np.array([sample['gt_label'] for sample in samples])


def probe(strength):
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))


@pytest.mark.parametrize('config', ['small/softmax_digits', 'small/pod_digits'])
def test_accuracies_against_scikit_learn(config, tmp_path):
    model, metrics = run(tmp_path, config, dict(split='train'))
    for stage in ('backbone', 'pre_logits'):
        support, labels = features_of(model, 'train', stage)
        query, answers = features_of(model, 'test', stage)
        by_class = [np.flatnonzero(labels == label) for label in range(10)]
        scores = {'nearest_mean': [], 'linear_probe': []}
        draws_of_30 = [
            np.concatenate([indices[30 * draw : 30 * draw + 30] for indices in by_class])
            for draw in range(min(map(len, by_class)) // 30)
        ]

        second = draws_of_30[1]
        known = support[draws_of_30[0]], labels[draws_of_30[0]]
        tried = {c: probe(c).fit(*known).score(support[second], labels[second]) for c in (1e-3, 1e-2, 0.1, 1, 10)}
        assert len(set(tried.values())) > 1
        for chosen in draws_of_30:
            center = support[chosen].mean(0)
            mean = NearestCentroid().fit(normalize(support[chosen] - center), labels[chosen])
            scores['nearest_mean'].append(mean.score(normalize(query - center), answers))
            best = probe(max(tried, key=tried.get)).fit(support[chosen], labels[chosen])
            scores['linear_probe'].append(best.score(query, answers))
        for name, values in scores.items():
            assert metrics[f'few_shot/{name}_30_{stage}'] == pytest.approx(100 * np.mean(values), abs=0.05), name
            assert np.mean(values) > 0.2


def test_draws_are_disjoint_and_balanced():
    labels = torch.tensor([0, 1, 0, 1, 1, 0, 0, 1, 1])
    assert [draw.tolist() for draw in draws(labels, 2, 2)] == [[0, 2, 1, 3], [5, 6, 4, 7]]
    with pytest.raises(ValueError, match='at least 6 support images.*one class has 4'):
        draws(labels, 2, 3)
    with pytest.raises(ValueError, match='one class has 0'):
        draws(labels, 3, 2)


def test_arguments():
    for shots, error in (([0], ValueError), (['5'], TypeError), ('5', TypeError)):
        with pytest.raises(error, match='`shots` to be an integer of at least 1'):
            FewShotHook({}, {}, shots=shots)
    assert FewShotHook({}, {}, shots=5).shots == [5]


def test_images_in_memory_have_the_same_overrides(runner_before_test):
    memory = dict(type='mmpod.InMemoryImages', dataset=dict(type='mmpod.SklearnDigits', split='test', pipeline=[]))
    hook = FewShotHook(dict(split='train'), dict(indices=30))
    hook.before_test(runner_before_test(dataset=memory))
    assert [len(loader.dataset) for loader in hook.loaders] == [len(SklearnDigits('train', pipeline=[])), 30]


def test_support_and_query_sets_of_other_classes_are_refused(runner_before_test):
    support = dict(metainfo=dict(classes=list('0123456798')))
    with pytest.raises(UserError, match="support set.*label 8: '8' instead of '9'"):
        FewShotHook(support, {}).before_test(runner_before_test())


def test_the_mean_over_positions_keeps_the_channels():
    maps = torch.arange(24.0).reshape(1, 2, 3, 4)
    expected = torch.tensor([[5.5, 17.5]])  # of 0 to 11 and 12 to 23
    for output in (maps, maps.flatten(2).transpose(1, 2), expected):  # feature maps, tokens, vectors
        assert_close(mean_over_positions((output,)), expected)
    two = [expected, 2 * expected]
    assert_close(mean_over_positions((two,)), torch.tensor([[5.5, 17.5, 11, 35]]))


def test_folders_in_another_order_are_refused(runner_before_test, image_folder, tmp_path):
    image_folder(['1', '2'], root=tmp_path, splits=['support'])
    image_folder(['01', '2'], root=tmp_path, splits=['query'])
    names = dict(data_root=str(tmp_path), metainfo=dict(classes=['one', 'two']))
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    test = dict(type='CustomDataset', data_prefix='query', pipeline=pipeline, **names)
    with pytest.raises(UserError, match="query set of FewShotHook to be those of the support set.*'01' instead of '1'"):
        FewShotHook(dict(data_prefix='support'), {}).before_test(runner_before_test(dataset=test))


def test_scikit_learn_is_missing(runner_before_test, monkeypatch):
    runner = runner_before_test()
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(ModuleNotFoundError, match='sklearn for FewShotHook'):
        FewShotHook({}, {}, shots=[1]).before_test(runner)
