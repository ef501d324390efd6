"""mmpretrain's tools with a POD model, as docs/tools.md shows them: the numbers are those of explicit formulas."""

import hashlib
import json
import pickle
from pathlib import Path
from types import SimpleNamespace

import mmpretrain
import numpy as np
import onnxruntime
import pytest
import torch
from helpers import EMA, NEEDS_TORCH_2_2, POD, ROOT, digits, read_log
from mmpretrain import FeatureExtractor, ImageClassificationInferencer, get_model, list_models
from mmpretrain.apis import ModelHub
from PIL import Image
from torch.testing import assert_close

from mmpod import shipped_configs
from mmpod.export.formats import load_exported
from mmpod.functional import pedcc


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    """Write the first 64 test digits as images and return their paths."""
    folder = tmp_path_factory.mktemp('images')
    for index, pixels in enumerate(digits('test')[0][:64]):
        Image.fromarray(pixels.permute(1, 2, 0).numpy().astype(np.uint8)).save(folder / f'{index:03d}.png')
    return sorted(map(str, folder.iterdir()))


@pytest.fixture
def export(trained, tool):
    def call(name, kind, *arguments):
        assert not tool('export', POD, trained / 'epoch_2.pth', '--format', kind, '-o', name, *arguments)[1]

    return call


@pytest.fixture(scope='module')
def truth(trained):
    """Cosines and features of the 500 test digits by explicit formulas from the network's weights."""
    model = get_model(POD)
    model.load_state_dict(torch.load(trained / 'epoch_2.pth', weights_only=True)['state_dict'])
    pixels, labels = digits('test')

    @torch.no_grad()
    def cosines(images):
        pooled = model.backbone((images - 78) / 96)[-1].mean(dim=(2, 3))
        features = pooled @ model.head.fc.weight.T + model.head.fc.bias
        return torch.cosine_similarity(features[:, None], model.head.centroids[None], dim=2), pooled, features

    return SimpleNamespace(pixels=pixels, labels=labels, of=cosines, cosines=cosines(pixels)[0])


def test_index_and_configs_are_the_same_set():
    leaves = {path.stem: str(path) for path in (ROOT / 'configs').glob('*.py')}
    for loss in ('pod', 'softmax', 'gda'):
        leaves[f'{loss}_resnet18w8_digits'] = str(ROOT / f'configs/small/{loss}_digits.py')
    mmpretrain.list_models()
    indexed = {name: model for name, model in ModelHub._models_dict.items() if model.in_collection == 'POD'}
    assert {name: model.config for name, model in indexed.items()} == leaves
    assert set(mmpretrain.ImageClassificationInferencer.list_models('pod_')) == {n for n in leaves if n[:4] == 'pod_'}
    shipped_configs.register_models()  # a second time
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
    monkeypatch.setattr(shipped_configs, 'CONFIGS', mim / 'configs')
    monkeypatch.setattr(ModelHub, '_models_dict', {})
    shipped_configs.register_models()
    assert ModelHub._models_dict['pod_resnet50_cifar10'].config == str(mim / 'configs/pod_resnet50_cifar10.py')
    for path in mim.iterdir():
        path.unlink()
    ModelHub._models_dict.clear()
    shipped_configs.register_models()
    assert not ModelHub._models_dict


def test_models_by_name(trained):
    names = list_models('pod_resnet18w8_*')
    assert names == ['pod_resnet18w8_digits']
    model = get_model('pod_resnet18w8_digits', pretrained=str(trained / 'epoch_2.pth'))
    assert model._metainfo.name == 'pod_resnet18w8_digits'


def test_inferencer(trained, images, truth):
    inferencer = ImageClassificationInferencer('pod_resnet18w8_digits', pretrained=str(trained / 'epoch_2.pth'))
    results = inferencer(images, batch_size=16)
    for result, row in zip(results, truth.cosines[:64]):
        assert_close(torch.from_numpy(result['pred_scores']), (1 + row) / 2, rtol=0, atol=1e-5)
        assert result['pred_class'] == str(row.argmax().item()) == str(result['pred_label'])
    array = np.array(Image.open(images[0]).convert('RGB'))
    assert_close(inferencer([array])[0]['pred_scores'], results[0]['pred_scores'])


def test_feature_extractor(trained, images, truth):
    extractor = FeatureExtractor('pod_resnet18w8_digits', pretrained=str(trained / 'epoch_2.pth'))
    _, pooled, features = truth.of(truth.pixels[:1])
    assert_close(extractor(images[0], stage='pre_logits')[0], features[0], rtol=1e-4, atol=1e-5)
    assert_close(extractor(images[0], stage='neck')[0][-1], pooled[0], rtol=1e-4, atol=1e-5)


def test_augmentation_averages_the_cosines(trained, tool, tmp_path, truth):
    assert not tool('test', POD, trained / 'epoch_2.pth', '--tta', '--out', 'tta.pkl')[1]
    samples = pickle.loads((tmp_path / 'tta.pkl').read_bytes())  # written by this test
    scores = torch.stack([sample['pred_score'] for sample in samples])
    both = (truth.cosines + truth.of(truth.pixels.flip(3))[0]) / 2
    assert_close(scores, (1 + both) / 2, rtol=0, atol=1e-5)


def test_averaged_weights_are_tested_and_leave_the_centroids(trained_ema, tool, tmp_path):
    saved = torch.load(trained_ema / 'epoch_2.pth', weights_only=True)
    averaged, plain = saved['state_dict'], saved['ema_state_dict']
    assert_close(averaged['head.centroids'], pedcc(10, 256, seed=0).float(), rtol=0, atol=0)
    assert_close(plain['module.head.centroids'], averaged['head.centroids'], rtol=0, atol=0)
    assert (averaged['head.fc.weight'] - plain['module.head.fc.weight']).abs().max() > 1e-4
    out = ['--out', 'ema.json', '--out-item', 'metrics']
    assert not tool('test', POD, trained_ema / 'epoch_2.pth', *out, '--cfg-options', *EMA)[1]
    metrics = json.loads((tmp_path / 'ema.json').read_text())
    last = [entry for entry in read_log(trained_ema) if 'accuracy/top1' in entry][-1]
    assert_close(metrics['accuracy/top1'], last['accuracy/top1'])


def test_onnx_runtime_on_real_images(trained, images, export, tmp_path, truth):
    export('digits.onnx', 'onnx', '--images', Path(images[0]).parent)
    path = tmp_path / 'digits.onnx'
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    assert [output.name for output in session.get_outputs()] == ['cosines', 'labels']
    cosines, labels = session.run(None, dict(images=truth.pixels.numpy()))
    assert_close(torch.from_numpy(cosines), truth.cosines, rtol=0, atol=1e-5)
    assert (labels == truth.cosines.argmax(1).numpy()).all() and labels.dtype == np.int64
    facts = json.loads(path.with_name('digits.onnx.json').read_text())
    assert facts['compared_on'] == '64 images' and facts['largest_difference'] < 1e-5
    checkpoint = (trained / 'epoch_2.pth').read_bytes()
    assert facts['checkpoint']['sha256'] == hashlib.sha256(checkpoint).hexdigest()
    assert facts['input']['shape'] == ['N', 3, 8, 8] and facts['classes'] == list('0123456789')
    assert not list(path.parent.glob('*.data'))  # the weights are inside


@pytest.mark.parametrize(
    'name, kind', [('digits.pt', 'torchscript'), pytest.param('digits.pt2', 'torch_export', marks=NEEDS_TORCH_2_2)]
)
def test_torchscript_and_torch_export_on_real_images(name, kind, export, tmp_path, truth):
    export(name, kind)
    cosines, labels = load_exported(tmp_path / name)(truth.pixels)
    assert_close(cosines, truth.cosines, rtol=0, atol=1e-5)
    assert_close(labels, truth.cosines.argmax(1))
