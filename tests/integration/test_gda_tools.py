"""GDA and Table IV through the command lines: one process and two, saved, cached, served."""

import json
import os
import pickle
import re
import runpy
import subprocess
import sys

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpretrain import ImageClassificationInferencer, get_model
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch.testing import assert_close

from mmpod.datasets import SklearnDigits
from mmpod.engine.runner_session import host_tool, runner_session
from mmpod.posthoc import GaussianDiscriminantAnalysis

POD, GDA = 'configs/pod_resnet18w8_digits.py', 'configs/gda_resnet18w8_digits.py'


@pytest.fixture(scope='module')
def trained(root, tmp_path_factory):
    """Two epochs on the digits, once for all tests of this file."""
    work_dir = tmp_path_factory.mktemp('trained')
    command = [sys.executable, root / 'tools/train.py', root / POD, '--work-dir', work_dir]
    environment = dict(os.environ, PYTHONPATH=str(root), OMP_NUM_THREADS='1', PYTHONWARNINGS='ignore')
    options = ['--cfg-options', 'train_cfg.max_epochs=2', 'randomness.seed=0']
    done = subprocess.run([*command, *options], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return work_dir


@pytest.fixture
def test(root, trained, tmp_path, monkeypatch, capsys):
    """Do what tools/test.py does, in this process; return the metrics and what was printed."""
    monkeypatch.setenv('TORCH_FORCE_WEIGHTS_ONLY_LOAD', '1')

    def run(config=root / GDA, checkpoint='epoch_2.pth', arguments=(), **options):
        tool = host_tool('test')
        monkeypatch.setattr('sys.argv', ['test.py', str(config), str(trained / checkpoint), *arguments])
        args = tool.parse_args()
        args.work_dir, args.cfg_options = str(tmp_path / 'work'), options
        with runner_session(tool.merge_args(Config.fromfile(config), args)) as runner:
            metrics = runner.test()
        return metrics, capsys.readouterr().out

    return run


def digits(split):
    """Return images as the network gets them, and labels."""
    data = SklearnDigits(split=split, pipeline=[])
    samples = [data[index] for index in range(len(data))]
    images = torch.from_numpy(np.stack([sample['img'] for sample in samples])).permute(0, 3, 1, 2).float()
    return (images - 78) / 96, np.array([sample['gt_label'] for sample in samples])


def unit_features(model, images, stage='pre_logits'):
    with torch.no_grad():
        rows = model.eval().extract_feat(images, stage=stage)
    rows = (rows[-1] if isinstance(rows, tuple) else rows).double().numpy()
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_cosine_and_gda_side_by_side(test, root, trained, tmp_path, run_command):
    """The cosine is that of the plain test; GDA is scikit-learn's on features taken out by mmpretrain."""
    plain, _ = test(root / POD)
    command = [sys.executable, root / 'tools/test.py', root / GDA, trained / 'epoch_2.pth', '--cfg-options']
    done = run_command(*command, 'model.covariance=shared', 'model.shrinkage=0.1')
    printed = done.stdout + done.stderr
    assert 'ETA' in printed and "covariance='shared', shrinkage 0.1 to 0.1" in printed
    cosine, gda = (float(value) for value in re.findall(r'cosine/top1: ([\d.]+)  gda/top1: ([\d.]+)', printed)[-1])
    assert cosine == pytest.approx(plain['accuracy/top1'], abs=1e-3)
    model = get_model(root / POD, pretrained=str(trained / 'epoch_2.pth'))
    (images, labels), (others, truth) = digits('train'), digits('test')
    lda = LinearDiscriminantAnalysis(solver='lsqr', shrinkage=0.1).fit(unit_features(model, images), labels)
    assert gda == pytest.approx(100 * lda.score(unit_features(model, others), truth), abs=0.21)
    metrics, _ = test(root / GDA, **{'model.stage': 'pooled', 'model.covariance': 'shared', 'model.shrinkage': 0.1})
    lda.fit(unit_features(model, images, 'neck'), labels)
    assert metrics['gda/top1'] == pytest.approx(100 * lda.score(unit_features(model, others, 'neck'), truth), abs=0.21)


def test_saved_cached_and_served(test, root, trained, tmp_path):
    saved, cache = tmp_path / 'gda.npz', tmp_path / 'cache'
    options = {'model.shrinkage': 0.2, 'custom_hooks.0.cache': str(cache)}
    first, printed = test(**{'custom_hooks.0.save_to': str(saved)}, **options)
    assert 'ETA' in printed
    assert np.load(cache / 'features.npy').shape == (1297, 256)
    again, printed = test(**options)
    assert 'ETA' not in printed and again['gda/top1'] == first['gda/top1']
    other_split = dict(type='mmpod.SklearnDigits', split='test', pipeline=[dict(type='PackInputs')])
    for changed, words in (
        ({'model.stage': 'pooled'}, 'stage'),
        ({'custom_hooks.0.dataset': other_split}, 'dataset, num_samples, samples'),
        ({'checkpoint': 'epoch_1.pth'}, 'weights'),
    ):
        with pytest.raises(ValueError, match=f'cache` to be of this run, but these differ: {words} '):
            test(**{**options, **changed})
    (cache / 'provenance.json').unlink()  # a run that was cut off
    again, printed = test(**options)
    assert 'ETA' in printed and again['gda/top1'] == first['gda/top1']

    served, printed = test(**{'model.fitted': str(saved)})
    assert 'ETA' not in printed and served['gda/top1'] == first['gda/top1']
    with pytest.raises(ValueError, match='gda.npz.*these differ: weights'):
        test(checkpoint='epoch_1.pth', **{'model.fitted': str(saved)})

    inferencer = ImageClassificationInferencer(
        str(root / GDA), pretrained=str(trained / 'epoch_2.pth'), fitted=str(saved), device='cpu'
    )
    data = SklearnDigits(split='test', pipeline=[])
    results = inferencer([data[index]['img'] for index in range(200)], batch_size=50)
    model = get_model(root / POD, pretrained=str(trained / 'epoch_2.pth'))
    joint, _ = GaussianDiscriminantAnalysis.load(saved).predict_joint(unit_features(model, digits('test')[0][:200]))
    assert [result['pred_label'] for result in results] == joint.argmax(1).tolist()
    for result, row in zip(results, joint):
        assert 0 < result['pred_scores'].min() and result['pred_scores'].max() < 1
        assert result['pred_scores'].sum() == pytest.approx(1)
        assert (np.argsort(result['pred_scores']) == np.argsort(row)).all()


def test_cached_features_of_changed_images_are_refused(test, tmp_path, image_folder):
    root = image_folder([str(digit) for digit in range(10)], per_class=3, splits=('train',), size=8) / 'train'
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    options = {
        'custom_hooks.0.dataset': dict(type='CustomDataset', data_root=str(root), pipeline=pipeline),
        'custom_hooks.0.cache': str(tmp_path / 'cache'),
    }
    test(**options)
    assert 'ETA' not in test(**options)[1]
    image = root / '3' / '0000.png'
    image.write_bytes((root / '4' / '0000.png').read_bytes())
    with pytest.raises(ValueError, match='cache` to be of this run, but these differ: samples '):
        test(**options)
    (root / '3' / 'added.png').write_bytes(image.read_bytes())
    with pytest.raises(ValueError, match='cache` to be of this run, but these differ: num_samples, samples '):
        test(**options)


def test_samples_without_a_position_are_not_cached(test, tmp_path):
    """The rows of the cache are found by it."""
    digits = dict(type='mmpod.SklearnDigits', split='train', pipeline=[])
    dataset = dict(type='mmpod.InMemoryImages', dataset=digits)
    with pytest.raises(ValueError, match='sample_idx.*`cache`'):
        test(**{'custom_hooks.0.dataset': dataset, 'custom_hooks.0.cache': str(tmp_path / 'cache')})


def test_unfitted_and_wrong_models_say_so(test, root, tmp_path):
    with pytest.raises(ValueError, match='Expected fitted Gaussians'):
        test(custom_hooks=[])
    (tmp_path / 'wrong.py').write_text(f"_base_ = ['{root / POD}']\ncustom_hooks = [dict(type='mmpod.FitGDAHook')]\n")
    with pytest.raises(TypeError, match='Expected a GDAClassifier for FitGDAHook, but got ImageClassifier'):
        test(tmp_path / 'wrong.py')


def test_unknown_images_are_told_apart(test, image_folder):
    """Noise in colour against digits in grey; the numbers are those of scores computed apart."""
    folder = image_folder(['noise'], per_class=30, splits=('x',), size=20)
    metrics, _ = test(**{'custom_hooks.1.unknown': str(folder), 'model.shrinkage': 0.1})
    for score in ('log_density', 'mahalanobis', 'max_cosine'):
        assert 0 <= metrics[f'open_set/{score}_fpr95'] <= 100
        assert metrics[f'open_set/{score}_auroc'] > 50


def write_config(root, path, unknown=None):
    path.write_text(
        f"_base_ = ['{root / GDA}']\n"
        f"custom_hooks = [dict(type='mmpod.FitGDAHook'), dict(type='mmpod.OpenSetHook', unknown={unknown!r})]\n"
        "test_evaluator = [dict(type='mmpod.CosineAccuracy', topk=(1, 5)), dict(type='Accuracy', topk=(1, 5), "
        "prefix='gda'), dict(type='mmpod.FeatureSpectrum'), dict(type='mmpod.FeatureSpectrum', stage='pre_logits', "
        "prefix='head'), dict(type='mmpod.FeatureGeometry')]\n"
        'test_dataloader = dict(dataset=dict(indices=499))\n'  # odd: two processes get a sample twice
    )
    return path


def test_two_processes_give_the_model_and_the_metrics_of_one(test, root, trained, tmp_path, image_folder, run_command):
    unknown = image_folder(['a', 'b', 'c'], per_class=3, splits=('train',), size=12)
    config = write_config(root, tmp_path / 'both.py', str(unknown))
    one, _ = test(config, **{'custom_hooks.0.save_to': str(tmp_path / 'one.npz')})
    command = ['bash', root / 'tools/dist_test.sh', config, trained / 'epoch_2.pth', 2, '--work-dir', tmp_path / 'two']
    options = [f'custom_hooks.0.save_to={tmp_path / "two.npz"}', f'custom_hooks.0.cache={tmp_path / "cache"}']
    out = ['--out', tmp_path / 'two.json', '--out-item', 'metrics']
    run_command(*command, *out, '--cfg-options', *options)
    two = json.loads((tmp_path / 'two.json').read_text())
    assert (
        two.keys() == one.keys()
        and {'spectrum/effective_rank', 'open_set/mahalanobis_auroc', 'geometry/nc1'} <= one.keys()
    )
    for name, value in one.items():
        # Other batches, so features differ in their last digits; the time is no metric.
        if 'time' not in name:
            assert two[name] == pytest.approx(value, rel=1e-4), name
    models = [np.load(tmp_path / f'{name}.npz') for name in ('one', 'two')]
    assert models[0]['counts'].sum() == models[1]['counts'].sum() == 1297
    for name in ('counts', 'means', 'scatter', 'third', 'fourth', 'shrinkage', 'pivots'):
        assert_close(models[1][name], models[0][name], rtol=1e-4, atol=1e-5 * np.abs(models[0][name]).max())
    features = np.load(tmp_path / 'cache' / 'features.npy')
    labels = np.load(tmp_path / 'cache' / 'labels.npy')
    single = GaussianDiscriminantAnalysis().fit(features, labels)
    assert_close(
        models[1]['scatter'].diagonal(0, 1, 2), single._moments.scatter.diagonal(0, 1, 2).numpy(), rtol=1e-9, atol=0
    )
    assert_close(models[1]['shrinkage'], single.shrinkage_.numpy(), rtol=1e-9, atol=0)


def test_table_iv_of_any_model(test, root, trained, tmp_path, monkeypatch):
    """The metric's numbers are those of features taken out by mmpretrain; --tta and --out go on working."""
    (tmp_path / 'pod.py').write_text(
        f"_base_ = ['{root / POD}']\ntest_evaluator = [dict(type='Accuracy'), dict(type='mmpod.FeatureSpectrum')]\n"
    )
    metrics, _ = test(tmp_path / 'pod.py')
    model = get_model(root / POD, pretrained=str(trained / 'epoch_2.pth'))
    x = unit_features(model, digits('test')[0], 'neck')
    moment = x.T @ x / len(x)
    assert metrics['spectrum/eigenvalue_variance_e8'] == pytest.approx(1e8 * np.linalg.eigvalsh(moment).var(), rel=1e-4)
    assert metrics['spectrum/energy_variance_e8'] == pytest.approx(1e8 * np.diag(moment).var(), rel=1e-4)
    augmented, _ = test(tmp_path / 'pod.py', arguments=['--tta'])
    assert 'accuracy/top1' in augmented and not [name for name in augmented if name.startswith('spectrum')]
    predictions = tmp_path / 'predictions.pkl'
    command = ['test.py', tmp_path / 'pod.py', trained / 'epoch_2.pth', '--work-dir', tmp_path, '--out', predictions]
    monkeypatch.setattr('sys.argv', [str(word) for word in command])
    runpy.run_path(str(root / 'tools/test.py'), run_name='__main__')
    samples = pickle.loads(predictions.read_bytes())
    assert len(samples) == 500 and 'pred_score' in samples[0] and 'features_pooled' not in samples[0]


def test_softmax_models_are_measured_too(root, test, tmp_path):
    """Without head features of its own, a softmax head's are the pooled ones; random weights will do."""
    base = root / 'configs/softmax_resnet18w8_digits.py'
    (tmp_path / 'softmax.py').write_text(
        f"_base_ = ['{base}']\ntest_evaluator = [dict(type='mmpod.FeatureSpectrum'), "
        "dict(type='mmpod.FeatureSpectrum', stage='pre_logits', prefix='head')]\n"
    )
    metrics, _ = test(tmp_path / 'softmax.py')
    assert metrics['spectrum/effective_rank'] == metrics['head/effective_rank'] > 1
