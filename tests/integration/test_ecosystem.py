"""mmpretrain's tools with a POD model: docs/tools.md is carried out, line by line, and what it leaves is checked."""

import contextlib
import hashlib
import io
import json
import os
import pickle
import re
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace

import mmpretrain
import numpy as np
import onnxruntime
import pytest
import torch
from documented import carry_out, steps
from mmpretrain.apis import ModelHub
from sklearn.metrics import confusion_matrix
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.testing import assert_close

from mmpod import model_index
from mmpod.datasets import SklearnDigits
from mmpod.export.formats import load_exported
from mmpod.functional import pedcc

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / 'docs' / 'tools.md').read_text()
STEPS = steps(DOC)
OLD_TORCH = tuple(map(int, torch.__version__.split('.')[:2])) < (2, 2)
NEEDS_TORCH_2_2 = pytest.mark.skipif(OLD_TORCH, reason='torch_export needs PyTorch 2.2')


@pytest.fixture(scope='module')
def done(tmp_path_factory):
    """Carry out the whole document in an empty folder that has only the repository's configs and tools."""
    folder = tmp_path_factory.mktemp('documented')
    for name in ('configs', 'tools'):
        (folder / name).symlink_to(ROOT / name)
    before, arguments, namespace, outcomes = os.getcwd(), sys.argv, {}, {}
    os.chdir(folder)
    torch.manual_seed(0)
    try:
        for step in STEPS:
            printed, error = io.StringIO(), None
            with contextlib.redirect_stdout(printed):
                try:
                    carry_out(step, namespace)
                except BaseException:
                    error = traceback.format_exc()
            outcomes[step] = SimpleNamespace(printed=printed.getvalue(), error=error)
    finally:
        os.chdir(before)
        sys.argv = arguments
    return SimpleNamespace(outcomes=outcomes, names=SimpleNamespace(**namespace), folder=folder / 'work_dirs')


@pytest.fixture(scope='module')
def truth(done):
    """Cosines and features of the 500 test digits by explicit formulas from the network's weights."""
    model = mmpretrain.get_model(ROOT / 'configs/small/pod_digits.py')
    model.load_state_dict(weights(done.folder / 'digits/epoch_2.pth'))
    data = SklearnDigits(split='test', pipeline=[])
    samples = [data[index] for index in range(len(data))]
    pixels = torch.from_numpy(np.stack([sample['img'] for sample in samples])).permute(0, 3, 1, 2).float()
    labels = np.array([sample['gt_label'] for sample in samples])

    @torch.no_grad()
    def cosines(images):
        pooled = model.backbone((images - 78) / 96)[-1].mean(dim=(2, 3))
        features = pooled @ model.head.fc.weight.T + model.head.fc.bias
        return torch.cosine_similarity(features[:, None], model.head.centroids[None], dim=2), pooled, features

    return SimpleNamespace(pixels=pixels, labels=labels, of=cosines, cosines=cosines(pixels)[0])


def weights(path):
    return torch.load(path, weights_only=True)['state_dict']


def scalars(work_dir):
    (log,) = work_dir.glob('*/vis_data/scalars.json')
    return [json.loads(line) for line in log.read_text().splitlines()]


def named(step):
    return re.sub(r'\W+', '-', step)[-60:]


@pytest.mark.parametrize(
    'step', [pytest.param(step, marks=[NEEDS_TORCH_2_2] if 'torch_export' in step else []) for step in STEPS], ids=named
)
def test_each_step_of_the_document_works(step, done):
    assert done.outcomes[step].error is None, done.outcomes[step].error


def test_the_document_was_found():
    assert len(STEPS) >= 20 and sum(step.startswith('python ') for step in STEPS) >= 12


def test_index_and_configs_are_the_same_set():
    leaves = {path.stem: str(path) for path in (ROOT / 'configs').glob('*.py')}
    mmpretrain.list_models()
    indexed = {name: model for name, model in ModelHub._models_dict.items() if model.in_collection == 'POD'}
    assert {name: model.config for name, model in indexed.items()} == leaves
    assert set(mmpretrain.ImageClassificationInferencer.list_models('pod_')) == {n for n in leaves if n[:4] == 'pod_'}
    model_index.register_models()  # a second time
    assert mmpretrain.list_models('pod_resnet50_cifar10') == sorted(
        name for name in leaves if name.startswith('pod_resnet50_cifar10')
    )


def test_models_of_an_installed_wheel(monkeypatch, tmp_path):
    """There, the index lies in `.mim` beside the modules; a foreign one beside the package is left alone."""
    mim = tmp_path / 'mmpod' / '.mim'
    mim.mkdir(parents=True)
    for name in ('configs', 'model-index.yml'):
        (mim / name).symlink_to(ROOT / name)
    (tmp_path / 'model-index.yml').write_text('Import: [nowhere.yml]\n')
    monkeypatch.setattr(model_index, 'CONFIGS', mim / 'configs')
    monkeypatch.setattr(ModelHub, '_models_dict', {})
    model_index.register_models()
    assert ModelHub._models_dict['pod_resnet50_cifar10'].config == str(mim / 'configs/pod_resnet50_cifar10.py')
    for path in mim.iterdir():
        path.unlink()
    ModelHub._models_dict.clear()
    model_index.register_models()
    assert not ModelHub._models_dict


def test_inferencer(done, truth):
    assert done.names.names == ['pod_resnet18w8_digits']
    assert done.names.model._metainfo.name == 'pod_resnet18w8_digits'
    expected = truth.cosines[:64]
    for result, row in zip(done.names.results, expected):
        assert_close(torch.from_numpy(result['pred_scores']), (1 + row) / 2, rtol=0, atol=1e-5)
        assert result['pred_class'] == str(row.argmax().item()) == str(result['pred_label'])
    assert done.names.best[0] == str(expected[0].argmax().item())
    assert list(done.names.best[1]) == expected[0].topk(5).indices.tolist()
    assert_close(done.names.results_of_arrays[0]['pred_scores'], done.names.results[0]['pred_scores'])


def test_feature_extractor(done, truth):
    _, pooled, features = truth.of(truth.pixels[:1])
    assert_close(done.names.features, features[0], rtol=1e-4, atol=1e-5)
    assert_close(done.names.pooled, pooled[0], rtol=1e-4, atol=1e-5)


def test_augmentation_averages_the_cosines(done, truth):
    samples = pickle.loads((done.folder / 'tta.pkl').read_bytes())  # written by this test
    scores = torch.stack([sample['pred_score'] for sample in samples])
    both = (truth.cosines + truth.of(truth.pixels.flip(3))[0]) / 2
    assert_close(scores, (1 + both) / 2, rtol=0, atol=1e-5)


def test_averaged_weights_are_tested_and_leave_the_centroids(done):
    saved = torch.load(done.folder / 'ema/epoch_2.pth', weights_only=True)
    averaged, plain = saved['state_dict'], saved['ema_state_dict']
    assert_close(averaged['head.centroids'], pedcc(10, 256, seed=0).float(), rtol=0, atol=0)
    assert_close(plain['module.head.centroids'], averaged['head.centroids'], rtol=0, atol=0)
    assert (averaged['head.fc.weight'] - plain['module.head.fc.weight']).abs().max() > 1e-4
    metrics = json.loads((done.folder / 'ema.json').read_text())
    last = [entry for entry in scalars(done.folder / 'ema') if 'accuracy/top1' in entry][-1]
    assert_close(metrics['accuracy/top1'], last['accuracy/top1'])


def test_tensorboard_gets_the_terms_apart(done):
    (folder,) = {path.parent for path in (done.folder / 'ema').glob('*/vis_data/events.out.tfevents*')}
    events = EventAccumulator(str(folder)).Reload()
    for name in ('loss', 'loss_cosine', 'loss_sc'):
        logged = [entry[name] for entry in scalars(done.folder / 'ema') if name in entry]
        assert [event.value for event in events.Scalars(name)] == pytest.approx(logged) and logged


def test_curves_and_times(done):
    times = next(outcome.printed for step, outcome in done.outcomes.items() if 'cal_train_time' in step)
    logged = [entry['time'] for entry in scalars(done.folder / 'digits') if 'time' in entry and 'loss' in entry]
    assert float(re.search(r'average iter time: ([\d.]+)', times)[1]) == pytest.approx(np.mean(logged), abs=1e-4)
    assert (done.folder / 'curves.png').stat().st_size > 1000


def test_confusion_matrix(done, truth):
    matrix = pickle.loads((done.folder / 'confusion.pkl').read_bytes())  # written by this test
    assert_close(torch.as_tensor(matrix).numpy(), confusion_matrix(truth.labels, truth.cosines.argmax(1).numpy()))
    assert (done.folder / 'confusion.png').stat().st_size > 1000


def test_activation_map(done):
    """Two classes, two maps, of the image's size."""
    import cv2

    maps = [cv2.imread(str(done.folder / name)) for name in ('cam.png', 'cam3.png')]
    assert maps[0].shape == maps[1].shape == (8, 8, 3) and (maps[0] != maps[1]).any()


def test_published_checkpoint(done):
    (path,) = done.folder.glob('pod_digits_*.pth')
    assert path.stem.split('-')[-1] == hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    published = torch.load(path, weights_only=True)
    assert published.keys() == {'meta', 'state_dict'} and published['meta']['dataset_meta']['classes'][9] == '9'
    for name, tensor in weights(done.folder / 'digits/epoch_2.pth').items():
        assert_close(published['state_dict'][name], tensor, rtol=0, atol=0)


def test_onnx_runtime_on_real_images(done, truth):
    path = done.folder / 'digits/epoch_2.onnx'
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    assert [output.name for output in session.get_outputs()] == ['cosines', 'labels']
    cosines, labels = session.run(None, dict(images=truth.pixels.numpy()))
    assert_close(torch.from_numpy(cosines), truth.cosines, rtol=0, atol=1e-5)
    assert (labels == truth.cosines.argmax(1).numpy()).all() and labels.dtype == np.int64
    assert done.names.name == str(truth.cosines[0].argmax().item())
    facts = json.loads(path.with_name('epoch_2.onnx.json').read_text())
    assert facts['compared_on'] == '64 images' and facts['largest_difference'] < 1e-5
    checkpoint = (done.folder / 'digits/epoch_2.pth').read_bytes()
    assert facts['checkpoint']['sha256'] == hashlib.sha256(checkpoint).hexdigest()
    assert facts['input']['shape'] == ['N', 3, 8, 8] and facts['classes'] == list('0123456789')
    assert not list(path.parent.glob('*.data'))  # the weights are inside


@pytest.mark.parametrize('name', ['digits.pt', pytest.param('digits.pt2', marks=NEEDS_TORCH_2_2)])
def test_torchscript_and_torch_export_on_real_images(name, done, truth):
    cosines, labels = load_exported(done.folder / name)(truth.pixels)
    assert_close(cosines, truth.cosines, rtol=0, atol=1e-5)
    assert_close(labels, truth.cosines.argmax(1))
