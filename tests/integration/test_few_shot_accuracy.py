"""Other classes from a few images of each: the accuracies against scikit-learn on features computed here."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize

import mmpod
from mmpod.datasets import SklearnDigits
from mmpod.engine.runner_session import runner_session


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
