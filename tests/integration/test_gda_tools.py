"""GDA and Table IV through the command lines: one process and two, saved, served."""

import json
import pickle
import re
import sys

import numpy as np
import pytest
import torch
from helpers import EMA, GDA, POD, ROOT, SOFTMAX, digits
from mmpretrain import get_model
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch.testing import assert_close

from mmpod.datasets import SklearnDigits
from mmpod.engine import Inferencer
from mmpod.posthoc import GaussianDiscriminantAnalysis


@pytest.fixture
def metrics_of(trained, tool, tmp_path):
    """Return a function that calls tools/test.py and returns the metrics, and what was printed."""

    def call(config=GDA, *options, arguments=()):
        out = ['--out', 'metrics.json', '--out-item', 'metrics']
        options = ['--cfg-options', *options] if options else []
        said, error = tool('test', config, trained / 'epoch_2.pth', *arguments, *out, *options)
        assert not error, error
        return json.loads((tmp_path / 'metrics.json').read_text()), said

    return call


def network_input(split):
    """Return images as the network gets them, and labels."""
    pixels, labels = digits(split)
    return (pixels - 78) / 96, labels


def unit_features(model, images, stage='pre_logits'):
    with torch.no_grad():
        rows = model.eval().extract_feat(images, stage=stage)
    rows = (rows[-1] if isinstance(rows, tuple) else rows).double().numpy()
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_cosine_and_gda_side_by_side(metrics_of, trained, tmp_path, run_command):
    """The cosine is that of the plain test; GDA is scikit-learn's on features taken out by mmpretrain."""
    plain, _ = metrics_of(POD)
    command = [sys.executable, ROOT / 'tools/test.py', GDA, trained / 'epoch_2.pth', '--cfg-options']
    done = run_command(*command, 'model.covariance=shared', 'model.shrinkage=0.1')
    printed = done.stdout + done.stderr
    assert 'ETA' in printed and "covariance='shared', shrinkage 0.1 to 0.1" in printed
    cosine, gda = (float(value) for value in re.findall(r'cosine/top1: ([\d.]+)  gda/top1: ([\d.]+)', printed)[-1])
    assert cosine == pytest.approx(plain['accuracy/top1'], abs=1e-3)
    model = get_model(POD, pretrained=str(trained / 'epoch_2.pth'))
    (images, labels), (others, truth) = network_input('train'), network_input('test')
    lda = LinearDiscriminantAnalysis(solver='lsqr', shrinkage=0.1).fit(unit_features(model, images), labels)
    assert gda == pytest.approx(100 * lda.score(unit_features(model, others), truth), abs=0.21)
    metrics, _ = metrics_of(GDA, 'model.stage=pooled', 'model.covariance=shared', 'model.shrinkage=0.1')
    lda.fit(unit_features(model, images, 'neck'), labels)
    assert metrics['gda/top1'] == pytest.approx(100 * lda.score(unit_features(model, others, 'neck'), truth), abs=0.21)


def test_saved_and_served(metrics_of, tool, trained, tmp_path):
    saved = tmp_path / 'gda.npz'
    first, printed = metrics_of(GDA, f'custom_hooks.0.save_to={saved}', 'model.shrinkage=0.2')
    assert 'ETA' in printed
    served, printed = metrics_of(GDA, f'model.fitted={saved}', 'model.shrinkage=0.2')
    assert 'ETA' not in printed and served['gda/top1'] == first['gda/top1']
    fitted = [f'model.fitted={saved}', 'model.shrinkage=None']
    _, error = tool('test', GDA, trained / 'epoch_1.pth', '--cfg-options', *fitted)
    assert re.search('gda.npz.*these differ: weights', error)

    inferencer = Inferencer(GDA, trained / 'epoch_2.pth', fitted=str(saved), shrinkage=None)
    data = SklearnDigits(split='test', pipeline=[])
    results = inferencer([data[index]['img'] for index in range(200)], 'bgr', batch_size=50)
    model = get_model(POD, pretrained=str(trained / 'epoch_2.pth'))
    joint, _ = GaussianDiscriminantAnalysis.load(saved).predict_joint(
        unit_features(model, network_input('test')[0][:200])
    )
    assert [result['pred_label'] for result in results] == joint.argmax(1).tolist()
    for result, row in zip(results, joint):
        assert (np.argsort(result['pred_scores']) == np.argsort(row)).all()


def test_unfitted_and_wrong_models_say_so(tool, trained, tmp_path):
    (tmp_path / 'unfitted.py').write_text(f"_base_ = ['{GDA}']\ncustom_hooks = []\n")
    assert 'Expected fitted Gaussians' in tool('test', 'unfitted.py', trained / 'epoch_2.pth')[1]
    (tmp_path / 'wrong.py').write_text(f"_base_ = ['{POD}']\ncustom_hooks = [dict(type='mmpod.FitGDAHook')]\n")
    error = tool('test', 'wrong.py', trained / 'epoch_2.pth')[1]
    assert 'Expected a GDAClassifier for FitGDAHook, but got ImageClassifier' in error


def test_unknown_images_are_told_apart(metrics_of, image_folder):
    """Noise in colour against digits in grey."""
    folder = image_folder(['noise'], per_class=30, splits=('x',), size=20)
    metrics, _ = metrics_of(GDA, f'custom_hooks.1.unknown={folder}', 'model.shrinkage=0.1')
    for score in ('log_density', 'mahalanobis', 'max_cosine'):
        assert metrics[f'open_set/{score}_auroc'] > 50


def write_config(path, unknown):
    path.write_text(
        f"_base_ = ['{GDA}']\n"
        f"custom_hooks = [dict(type='mmpod.FitGDAHook'), dict(type='mmpod.OpenSetHook', unknown={unknown!r}), "
        "dict(type='mmpod.FewShotHook', support=dict(split='train'), query=dict(split='test'), shots=[5])]\n"
        "test_evaluator = [dict(type='mmpod.CosineAccuracy', topk=(1, 5)), dict(type='Accuracy', topk=(1, 5), "
        "prefix='gda'), dict(type='mmpod.FeatureSpectrum'), dict(type='mmpod.FeatureSpectrum', stage='pre_logits', "
        "prefix='head'), dict(type='mmpod.FeatureGeometry')]\n"
        'test_dataloader = dict(dataset=dict(indices=499))\n'  # odd: two processes get a sample twice
    )
    return path


def test_two_processes_give_the_model_and_the_metrics_of_one(metrics_of, trained, tmp_path, image_folder, run_command):
    unknown = image_folder(['a', 'b', 'c'], per_class=3, splits=('train',), size=12)
    config = write_config(tmp_path / 'both.py', str(unknown))
    one, _ = metrics_of(config, f'custom_hooks.0.save_to={tmp_path / "one.npz"}')
    command = ['bash', ROOT / 'tools/dist_test.sh', config, trained / 'epoch_2.pth', 2, '--work-dir', tmp_path / 'two']
    options = [f'custom_hooks.0.save_to={tmp_path / "two.npz"}']
    out = ['--out', tmp_path / 'two.json', '--out-item', 'metrics']
    run_command(*command, *out, '--cfg-options', *options)
    two = json.loads((tmp_path / 'two.json').read_text())
    expected = {
        'spectrum/effective_rank',
        'open_set/mahalanobis_auroc',
        'geometry/nc1',
        'few_shot/linear_probe_5_pre_logits',
    }
    assert two.keys() == one.keys() and expected <= one.keys()
    for name, value in one.items():
        # Other batches, so features differ in their last digits; the time is not a metric.
        if 'time' not in name:
            assert two[name] == pytest.approx(value, rel=1e-4), name
    models = [np.load(tmp_path / f'{name}.npz') for name in ('one', 'two')]
    assert models[0]['counts'].sum() == models[1]['counts'].sum() == 1297
    for name in ('counts', 'means', 'scatter', 'third', 'fourth'):
        assert_close(models[1][name], models[0][name], rtol=1e-4, atol=1e-5 * np.abs(models[0][name]).max())


def test_averaged_weights_are_those_that_are_measured(trained_ema, tool, tmp_path, image_folder):
    """The checkpoint's ``state_dict`` has the averages; with EMAHook they take the place of the raw weights late."""
    config = write_config(tmp_path / 'both.py', str(image_folder(['a'], per_class=5, splits=('train',), size=12)))
    measured = []
    for options in ([], EMA):
        arguments = ['--out', 'metrics.json', '--out-item', 'metrics', '--cfg-options', 'test_dataloader.num_workers=0']
        assert not tool('test', config, trained_ema / 'epoch_2.pth', *arguments, *options)[1]
        measured.append(json.loads((tmp_path / 'metrics.json').read_text()))
    plain, averaged = ({name: value for name, value in one.items() if 'time' not in name} for one in measured)
    assert averaged == pytest.approx(plain)


def test_table_iv_of_any_model(metrics_of, trained, tmp_path, tool):
    """The metric's numbers are those of features taken out by mmpretrain; --tta and --out go on working."""
    (tmp_path / 'pod.py').write_text(
        f"_base_ = ['{POD}']\ntest_evaluator = [dict(type='Accuracy'), dict(type='mmpod.FeatureSpectrum')]\n"
    )
    metrics, _ = metrics_of(tmp_path / 'pod.py')
    model = get_model(POD, pretrained=str(trained / 'epoch_2.pth'))
    x = unit_features(model, network_input('test')[0], 'neck')
    moment = x.T @ x / len(x)
    assert metrics['spectrum/eigenvalue_variance_e8'] == pytest.approx(1e8 * np.linalg.eigvalsh(moment).var(), rel=1e-4)
    assert metrics['spectrum/energy_variance_e8'] == pytest.approx(1e8 * np.diag(moment).var(), rel=1e-4)
    augmented, _ = metrics_of(tmp_path / 'pod.py', arguments=['--tta'])
    assert 'accuracy/top1' in augmented and not [name for name in augmented if name.startswith('spectrum')]
    predictions = tmp_path / 'predictions.pkl'
    assert not tool('test', tmp_path / 'pod.py', trained / 'epoch_2.pth', '--out', predictions)[1]
    samples = pickle.loads(predictions.read_bytes())
    assert len(samples) == 500 and 'pred_score' in samples[0] and 'features_pooled' not in samples[0]


def test_softmax_models_are_measured_too(metrics_of, tmp_path):
    """Without head features of its own, a softmax head's are the pooled ones; random weights will do."""
    (tmp_path / 'softmax.py').write_text(
        f"_base_ = ['{SOFTMAX}']\ntest_evaluator = [dict(type='mmpod.FeatureSpectrum'), "
        "dict(type='mmpod.FeatureSpectrum', stage='pre_logits', prefix='head')]\n"
    )
    metrics, _ = metrics_of(tmp_path / 'softmax.py', arguments=['--allow-missing'])
    assert metrics['spectrum/effective_rank'] == metrics['head/effective_rank'] > 1
