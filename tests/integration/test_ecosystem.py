"""mmpretrain's tools with a POD model, as docs/tools.md shows them: the numbers are those of explicit formulas."""

import contextlib
import hashlib
import io
import json
import os
import pickle
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import mmpretrain
import numpy as np
import onnxruntime
import pytest
import torch
from mmpretrain import FeatureExtractor, ImageClassificationInferencer, get_model, list_models
from mmpretrain.apis import ModelHub
from PIL import Image
from torch.testing import assert_close

from mmpod import model_index
from mmpod.datasets import SklearnDigits
from mmpod.export.formats import load_exported
from mmpod.functional import pedcc

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs/small/pod_digits.py'
OLD_TORCH = tuple(map(int, torch.__version__.split('.')[:2])) < (2, 2)
NEEDS_TORCH_2_2 = pytest.mark.skipif(OLD_TORCH, reason='torch_export needs PyTorch 2.2')
EMA = f"""
_base_ = '{CONFIG}'
custom_hooks = [dict(type='EMAHook', momentum=0.05, update_buffers=True)]
"""


def run(script, *arguments):
    """Run a script in this process and return what it prints."""
    sys.argv = [str(word) for word in [script, *arguments]]
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
        runpy.run_path(sys.argv[0], run_name='__main__')
    return printed.getvalue()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A folder with two trained epochs in `digits`, and the first 64 test digits in `images`; tests work there."""
    folder = tmp_path_factory.mktemp('ecosystem')
    (folder / 'images').mkdir()
    digits = SklearnDigits(split='test', pipeline=[])
    for index in range(64):
        Image.fromarray(digits[index]['img']).save(folder / f'images/{index:03d}.png')
    before, arguments = os.getcwd(), sys.argv
    os.chdir(folder)
    torch.manual_seed(0)
    run(ROOT / 'tools/train.py', CONFIG, '--work-dir', 'digits', '--cfg-options', 'train_cfg.max_epochs=2')
    yield folder
    os.chdir(before)
    sys.argv = arguments


@pytest.fixture(scope='module')
def ema(folder):
    """The folder of a training with averaged weights."""
    (folder / 'ema.py').write_text(EMA)
    run(ROOT / 'tools/train.py', 'ema.py', '--work-dir', 'ema', '--cfg-options', 'train_cfg.max_epochs=2')
    return folder / 'ema'


def export(name, kind, *arguments):
    run(ROOT / 'tools/export.py', CONFIG, 'digits/epoch_2.pth', '--format', kind, '-o', name, *arguments)


@pytest.fixture(scope='module')
def truth(folder):
    """Cosines and features of the 500 test digits by explicit formulas from the network's weights."""
    model = get_model(CONFIG)
    model.load_state_dict(weights(folder / 'digits/epoch_2.pth'))
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


def test_index_and_configs_are_the_same_set():
    leaves = {path.stem: str(path) for path in (ROOT / 'configs').glob('*.py')}
    for loss in ('pod', 'softmax', 'gda'):
        leaves[f'{loss}_resnet18w8_digits'] = str(ROOT / f'configs/small/{loss}_digits.py')
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


def test_models_by_name(folder):
    names = list_models('pod_resnet18w8_*')
    assert names == ['pod_resnet18w8_digits']
    model = get_model('pod_resnet18w8_digits', pretrained='digits/epoch_2.pth')
    assert model._metainfo.name == 'pod_resnet18w8_digits'


def test_inferencer(folder, truth):
    inferencer = ImageClassificationInferencer('pod_resnet18w8_digits', pretrained='digits/epoch_2.pth')
    results = inferencer([f'images/{index:03d}.png' for index in range(64)], batch_size=16)
    for result, row in zip(results, truth.cosines[:64]):
        assert_close(torch.from_numpy(result['pred_scores']), (1 + row) / 2, rtol=0, atol=1e-5)
        assert result['pred_class'] == str(row.argmax().item()) == str(result['pred_label'])
    array = np.array(Image.open('images/000.png').convert('RGB'))
    assert_close(inferencer([array])[0]['pred_scores'], results[0]['pred_scores'])


def test_feature_extractor(folder, truth):
    extractor = FeatureExtractor('pod_resnet18w8_digits', pretrained='digits/epoch_2.pth')
    _, pooled, features = truth.of(truth.pixels[:1])
    assert_close(extractor('images/000.png', stage='pre_logits')[0], features[0], rtol=1e-4, atol=1e-5)
    assert_close(extractor('images/000.png', stage='neck')[0][-1], pooled[0], rtol=1e-4, atol=1e-5)


def test_augmentation_averages_the_cosines(folder, truth):
    run(ROOT / 'tools/test.py', CONFIG, 'digits/epoch_2.pth', '--tta', '--work-dir', 'tta', '--out', 'tta.pkl')
    samples = pickle.loads((folder / 'tta.pkl').read_bytes())  # written by this test
    scores = torch.stack([sample['pred_score'] for sample in samples])
    both = (truth.cosines + truth.of(truth.pixels.flip(3))[0]) / 2
    assert_close(scores, (1 + both) / 2, rtol=0, atol=1e-5)


def test_averaged_weights_are_tested_and_leave_the_centroids(ema, folder):
    saved = torch.load(ema / 'epoch_2.pth', weights_only=True)
    averaged, plain = saved['state_dict'], saved['ema_state_dict']
    assert_close(averaged['head.centroids'], pedcc(10, 256, seed=0).float(), rtol=0, atol=0)
    assert_close(plain['module.head.centroids'], averaged['head.centroids'], rtol=0, atol=0)
    assert (averaged['head.fc.weight'] - plain['module.head.fc.weight']).abs().max() > 1e-4
    out = ['--work-dir', 'ema_test', '--out', 'ema.json', '--out-item', 'metrics']
    run(ROOT / 'tools/test.py', 'ema.py', 'ema/epoch_2.pth', *out)
    metrics = json.loads((folder / 'ema.json').read_text())
    last = [entry for entry in scalars(ema) if 'accuracy/top1' in entry][-1]
    assert_close(metrics['accuracy/top1'], last['accuracy/top1'])


def test_onnx_runtime_on_real_images(folder, truth):
    export('digits.onnx', 'onnx', '--images', 'images')
    path = folder / 'digits.onnx'
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    assert [output.name for output in session.get_outputs()] == ['cosines', 'labels']
    cosines, labels = session.run(None, dict(images=truth.pixels.numpy()))
    assert_close(torch.from_numpy(cosines), truth.cosines, rtol=0, atol=1e-5)
    assert (labels == truth.cosines.argmax(1).numpy()).all() and labels.dtype == np.int64
    facts = json.loads(path.with_name('digits.onnx.json').read_text())
    assert facts['compared_on'] == '64 images' and facts['largest_difference'] < 1e-5
    checkpoint = (folder / 'digits/epoch_2.pth').read_bytes()
    assert facts['checkpoint']['sha256'] == hashlib.sha256(checkpoint).hexdigest()
    assert facts['input']['shape'] == ['N', 3, 8, 8] and facts['classes'] == list('0123456789')
    assert not list(path.parent.glob('*.data'))  # the weights are inside


@pytest.mark.parametrize(
    'name, kind', [('digits.pt', 'torchscript'), pytest.param('digits.pt2', 'torch_export', marks=NEEDS_TORCH_2_2)]
)
def test_torchscript_and_torch_export_on_real_images(name, kind, folder, truth):
    export(name, kind)
    cosines, labels = load_exported(folder / name)(truth.pixels)
    assert_close(cosines, truth.cosines, rtol=0, atol=1e-5)
    assert_close(labels, truth.cosines.argmax(1))
