"""Exported classifiers against mmpretrain's own predictions, and what is refused."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers import NEEDS_TORCH_2_2
from mmcv.transforms import LoadImageFromFile
from mmengine.config import Config, ConfigDict
from mmpretrain import ImageClassificationInferencer, get_model
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS, MODELS, TRANSFORMS
from PIL import Image
from torch.testing import assert_close

from mmpod.export import formats as export
from mmpod.export.formats import export_classifier, load_exported

ROOT = Path(__file__).resolve().parents[2]


def config(name, **options):
    cfg = Config.fromfile(next((ROOT / 'configs').rglob(f'{name}.py')))
    cfg.merge_from_dict(options)
    return cfg


def save_random(cfg, path):
    """Save random weights, with batch-norm statistics that matter, and return the model."""
    model = get_model(cfg)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 2)
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    return model


@pytest.fixture
def checkpoint(tmp_path):
    """Random weights for the digits, alone in a folder."""
    save_random(config('pod_digits'), tmp_path / 'w.pth')
    return tmp_path / 'w.pth'


@pytest.mark.parametrize(
    'name, output, to_rgb',
    [
        ('pod_tiny20', 'cosines', True),  # turned by the preprocessor
        ('pod_tiny20', 'cosines', False),  # the network sees BGR
        ('pod_cifar10_10k', 'cosines', True),  # arrays
        ('pod_cifar10_10k', 'cosines', False),
        ('amsoftmax_cifar10_10k', 'cosines', True),
        ('lsoftmax_cifar10_10k', 'logits', True),
        ('softmax_cifar10_10k', 'logits', True),
        ('cot_cifar10_10k', 'logits', True),
    ],
)
def test_outputs_are_the_inferencers(name, output, to_rgb, tmp_path):
    """Red, green and blue differ much: a wrong order or normalisation shows."""
    cfg = config(name, **{'data_preprocessor.to_rgb': to_rgb})
    model = save_random(cfg, tmp_path / 'w.pth')
    side = 64 if 'tiny' in name else 32
    rgb = np.random.RandomState(0).randint(0, 256, (5, side, side, 3)) // [1, 2, 6]
    for index, image in enumerate(rgb.astype(np.uint8)):
        folder = tmp_path / 'images' / str(index)
        folder.mkdir(parents=True)
        Image.fromarray(image).save(folder / 'a.png')
    facts = export_classifier(cfg, tmp_path / 'w.pth', 'torchscript', images=tmp_path / 'images')
    assert facts['outputs'] == [output, 'labels'] and facts['compared_on'] == '5 images'
    numbers = {key: pytest.approx(cfg.data_preprocessor[key]) for key in ('mean', 'std')}
    assert facts['normalisation_inside'] == dict(numbers, order='RGB' if to_rgb else 'BGR')
    assert facts['input']['range'] == [0, 255]
    values, labels = load_exported(facts['file'])(torch.from_numpy(rgb).permute(0, 3, 1, 2).float())
    files = sorted(map(str, (tmp_path / 'images').rglob('*.png')))
    predicted = ImageClassificationInferencer(model)(files, batch_size=5)
    scores = torch.from_numpy(np.stack([result['pred_scores'] for result in predicted]))
    assert_close((1 + values) / 2 if output == 'cosines' else values.softmax(1), scores, rtol=0, atol=1e-5)
    assert labels.tolist() == [result['pred_label'] for result in predicted]


@TRANSFORMS.register_module()
class LoadAsRGB(LoadImageFromFile):
    """A loader of a user's own."""

    def transform(self, results):
        results = super().transform(results)
        return dict(results, img=results['img'][..., ::-1].copy())


def colour_folder(tmp_path, classes=10, size=(8, 8)):
    """Write one image of one colour per class, as a folder dataset of mmpretrain, and return its config."""
    for label in range(classes):
        folder = tmp_path / 'colours' / f'class {label}'
        folder.mkdir(parents=True)
        Image.new('RGB', size[::-1], (25 * label, 100, 250 - 25 * label)).save(folder / 'a.png')
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    return ConfigDict(type='CustomDataset', data_root=str(tmp_path / 'colours'), pipeline=pipeline)


@pytest.mark.parametrize('kind', ['plain', 'concatenated', 'repeated', 'subclass', 'PIL'])
def test_the_order_is_that_of_the_test_whatever_loads_and_wraps_it(kind, tmp_path):
    """The exported file, fed RGB, against the Runner's test of the same files."""
    dataset = colour_folder(tmp_path)
    if kind == 'subclass':
        dataset.pipeline[0] = dict(type='LoadAsRGB')
    if kind == 'PIL':
        dataset.pipeline[1:1] = [dict(type='NumpyToPIL', to_rgb=True), dict(type='PILToNumpy')]
    wrapped = dict(
        concatenated=dict(type='ConcatDataset', datasets=[dataset]),
        repeated=dict(type='RepeatDataset', dataset=dict(type='ConcatDataset', datasets=[dataset]), times=1),
    )
    cfg = config('pod_digits', work_dir=str(tmp_path / 'work'), log_level='WARNING')
    model = save_random(cfg, tmp_path / 'w.pth')
    cfg.test_dataloader.dataset = wrapped.get(kind, dataset)
    facts = export_classifier(cfg, tmp_path / 'w.pth', 'torchscript')
    assert facts['compared_on'] == '8 images'
    flips = kind in ('subclass', 'PIL')
    assert facts['normalisation_inside']['order'] == ('BGR' if flips else 'RGB')
    paths = sorted((tmp_path / 'colours').rglob('*.png'))
    rgb = torch.from_numpy(np.stack([np.array(Image.open(path)) for path in paths])).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        expected = model.head(model.extract_feat(((rgb.flip(1) if flips else rgb) - 78) / 96))
    values, _ = load_exported(facts['file'])(rgb)
    assert_close(values, expected, rtol=0, atol=1e-5)
    assert not torch.allclose(values, load_exported(facts['file'])(rgb.flip(1))[0], rtol=0, atol=1e-3)


@DATASETS.register_module()
class ArraysOfUnknownOrder(BaseDataset):
    METAINFO = dict(classes=list('0123456789'))

    def load_data_list(self):
        return [dict(img=np.full((8, 8, 3), [200, 100, label], np.uint8), gt_label=label) for label in range(10)]


def test_an_unknown_order_must_be_given(checkpoint):
    cfg = config('pod_digits')
    cfg.test_dataloader.dataset = dict(type='ArraysOfUnknownOrder', ann_file='', pipeline=[dict(type='PackInputs')])
    with pytest.raises(ValueError, match='order of its arrays is unknown.*--channel-order rgb or bgr'):
        export_classifier(cfg, checkpoint, 'torchscript')
    for order in ('rgb', 'bgr'):
        facts = export_classifier(cfg, checkpoint, 'torchscript', channel_order=order)
        assert facts['normalisation_inside']['order'] == ('RGB' if order == 'bgr' else 'BGR')
        assert facts['compared_on'] == '8 images' and facts['input']['shape'] == ['N', 3, 8, 8]
    with pytest.raises(ValueError, match='--channel-order bgr, which the test pipeline gives, but got rgb'):
        export_classifier(config('pod_digits'), checkpoint, 'torchscript', channel_order='rgb')


def test_a_pipeline_that_changes_colours_is_refused(checkpoint):
    cfg = config('pod_digits')
    normalise = dict(type='Normalize', mean=[100.0] * 3, std=[50.0] * 3)
    cfg.test_dataloader.dataset.pipeline.insert(0, normalise)
    with pytest.raises(ValueError, match='keep colours.*Normalise in `data_preprocessor`'):
        export_classifier(cfg, checkpoint, 'torchscript')


@pytest.mark.parametrize('channels, suffix', [(1, 'png'), (5, 'npy')])
def test_channels_and_size_are_those_of_the_data(channels, suffix, tmp_path):
    """Gray, and more bands than any image format has."""

    @TRANSFORMS.register_module(force=True)
    class LoadBands(LoadImageFromFile):
        def transform(self, results):
            return dict(results, img=np.load(results['img_path']))

    random = np.random.RandomState(0)
    for label in range(10):
        folder = tmp_path / 'images' / f'class {label}'
        folder.mkdir(parents=True)
        image = random.randint(0, 256, (12, 16, channels), np.uint8)
        cv2.imwrite(str(folder / 'a.png'), image) if channels == 1 else np.save(folder / 'a.npy', image)
    load = dict(type='LoadImageFromFile', color_type='grayscale') if channels == 1 else dict(type='LoadBands')
    cfg = config('pod_digits', **{'model.backbone.in_channels': channels})
    cfg.data_preprocessor = dict(num_classes=10, mean=[100.0] * channels, std=[50.0] * channels, to_rgb=True)
    cfg.test_dataloader.dataset = dict(
        type='CustomDataset',
        data_root=str(tmp_path / 'images'),
        pipeline=[load, dict(type='PackInputs')],
        extensions=[f'.{suffix}'],
    )
    save_random(cfg, tmp_path / 'w.pth')
    facts = export_classifier(cfg, tmp_path / 'w.pth', 'torchscript')
    assert facts['input']['shape'] == ['N', channels, 12, 16] and facts['compared_on'] == '8 images'
    assert 'order' not in facts['normalisation_inside']


@pytest.mark.parametrize(
    'name, options, error, words',
    [
        ('pod_digits', dict(format='tflite'), ValueError, "format.*'onnx', .*'tflite'"),
        ('pod_digits', dict(tolerance=-1), ValueError, '`tolerance` .* at least 0, but got -1'),
        ('pod_digits', dict(checkpoint='nowhere.pth'), FileNotFoundError, 'checkpoint.*nowhere.pth'),
        ('pod_digits', dict(out='model.bin'), ValueError, r'`out` to end in \.pt .*model\.bin'),
        ('pod_digits', dict(images='nowhere'), FileNotFoundError, 'nowhere`, but there are none'),
        ('pod_digits', dict(images='broken'), ValueError, 'broken.png` to be an image'),
        ('softmax_digits', dict(), ValueError, 'weights of the model.*head.fc'),
        ('gda_digits', dict(), TypeError, 'GDAClassifier.*without GDA'),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
def test_bad_input_is_refused_and_nothing_written(name, options, error, words, checkpoint, tmp_path):
    (tmp_path / 'broken').mkdir()
    (tmp_path / 'broken' / 'broken.png').write_bytes(b'')
    paths = {k: value if k in ('format', 'tolerance') else tmp_path / value for k, value in options.items()}
    arguments = dict(dict(checkpoint=checkpoint, format='torchscript'), **paths)
    before = sorted(tmp_path.rglob('*'))
    with pytest.raises(error, match=f'(?s){words}'):
        export_classifier(config(name), **arguments)
    assert sorted(tmp_path.rglob('*')) == before


def test_images_of_one_size_are_needed(checkpoint, tmp_path):
    cfg = config('pod_digits')
    load, pack = dict(type='LoadImageFromFile'), dict(type='PackInputs')
    cfg.test_dataloader.dataset = dict(type='ImageNet', data_root='nowhere', split='val', pipeline=[load, pack])
    with pytest.raises(ValueError, match='a test set that can be read, but got .*nowhere.*--images FOLDER'):
        export_classifier(cfg, checkpoint, 'torchscript')
    folder = tmp_path / 'images'
    folder.mkdir()
    for index, size in enumerate(((12, 10), (8, 10))):
        Image.new('RGB', size).save(folder / f'{index}.png')
    with pytest.raises(ValueError, match=r'one size .*\(3, 10, 8\), \(3, 10, 12\)\]. Add a Resize'):
        export_classifier(cfg, checkpoint, 'torchscript', images=folder)
    cfg.test_dataloader.dataset.pipeline.insert(1, dict(type='Resize', scale=(16, 8)))
    facts = export_classifier(cfg, checkpoint, 'torchscript', images=folder)
    assert facts['input']['shape'] == ['N', 3, 8, 16] and facts['compared_on'] == '2 images'
    facts = export_classifier(config('pod_digits'), checkpoint, 'torchscript', images=folder)
    assert facts['input']['shape'] == ['N', 3, 8, 8]  # as all digits


def test_models_without_one_output_are_refused(checkpoint):
    cfg = config('pod_digits')
    cfg.model = dict(type='ImageToImageRetriever', image_encoder=[cfg.model], prototype='p.pt')
    with pytest.raises(TypeError, match='ImageClassifier with a head, but got ImageToImageRetriever'):
        export_classifier(cfg, checkpoint, 'torchscript')


def test_names_of_the_classes_are_those_that_the_config_gives(checkpoint):
    names = list('abcdefghij')
    cfg = config('pod_digits', **{'test_dataloader.dataset.metainfo': dict(classes=names)})
    assert export_classifier(cfg, checkpoint, 'torchscript')['classes'] == names
    saved = torch.load(checkpoint)
    torch.save(dict(saved, meta=dict(dataset_meta=dict(classes=names))), checkpoint)
    assert export_classifier(cfg, checkpoint, 'torchscript')['classes'] == names
    with pytest.raises(ValueError, match="the config to be those of the checkpoint, .* label 0: '0' instead of 'a'"):
        export_classifier(config('pod_digits'), checkpoint, 'torchscript')


def one_size(values, labels):
    """Stand for a file that takes no other batch."""
    if len(labels) == 1:
        raise ValueError('one size')
    return values, labels


FAULTS = {
    r'at most 0.0001 x max\(1, largest output\), but they differ by 0': lambda values, labels: (values + 0.01, labels),
    'the labels of the model': lambda values, labels: (values, (labels + 1) % 10),
    'the exported file gives NaN or infinity. Nothing was kept': lambda values, labels: (values * float('nan'), labels),
    'one size': one_size,
}


@pytest.mark.parametrize('words', FAULTS)
def test_a_file_that_does_not_give_what_the_model_gives_is_not_kept(words, checkpoint, tmp_path, monkeypatch):
    load = export.load_exported

    def faulty(path):
        exported = load(path)
        return lambda images: FAULTS[words](*exported(images))

    monkeypatch.setattr(export, 'load_exported', faulty)
    with pytest.raises(ValueError, match=words):
        export_classifier(config('pod_digits'), checkpoint, 'torchscript')
    assert list(tmp_path.iterdir()) == [checkpoint]


def test_a_model_that_gives_nan_is_refused(checkpoint, tmp_path):
    saved = torch.load(checkpoint)
    saved['state_dict']['head.fc.bias'][0] = float('nan')
    torch.save(saved, checkpoint)
    with pytest.raises(ValueError, match='the model gives NaN or infinity. Nothing was kept'):
        export_classifier(config('pod_digits'), checkpoint, 'torchscript')
    assert list(tmp_path.iterdir()) == [checkpoint]


def test_missing_packages_are_named(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None if name == 'onnxruntime' else find(name))
    with pytest.raises(ModuleNotFoundError, match='pip install onnxruntime'):
        export_classifier(config('pod_digits'), 'w.pth', 'onnx')


def test_a_pure_python_config_is_exported(pure_python, tmp_path):
    cfg = Config.fromfile(pure_python)
    save_random(Config.fromstring(cfg.pretty_text, '.py'), tmp_path / 'w.pth')
    facts = export_classifier(cfg, tmp_path / 'w.pth', 'torchscript')
    assert facts['classes'] == list('0123456789') and facts['compared_on'] == '8 images'


@MODELS.register_module()
class FixedBatch(torch.nn.Module):
    """It works for one size of the batch."""

    def forward(self, images):
        return (images.reshape(int(images.shape[0]), -1)[:, :64] + torch.zeros(len([*images]), 64),)


@NEEDS_TORCH_2_2
def test_what_pytorch_cannot_export_gets_one_sentence(tmp_path):
    cfg = config('pod_digits')
    cfg.model.backbone, cfg.model.neck = dict(type='FixedBatch'), None
    save_random(cfg, tmp_path / 'w.pth')
    with pytest.raises(ValueError, match=r'\AExpected .* torch_export, but [^\n]* onnx, torchscript[^\n]*\Z'):
        export_classifier(cfg, tmp_path / 'w.pth', 'torch_export')
    assert list(tmp_path.iterdir()) == [tmp_path / 'w.pth']


@pytest.mark.parametrize('format', ['torchscript', pytest.param('torch_export', marks=NEEDS_TORCH_2_2)])
@pytest.mark.parametrize('kind, window', [('SwinTransformer', 2), ('MixMIMTransformer', [2, 2, 2, 2])])
def test_windows_of_transformers_are_those_of_any_batch(kind, window, format, tmp_path):
    arch = dict(embed_dims=8, depths=[1, 1, 2, 1], num_heads=[1, 1, 1, 1])
    cfg = config('pod_cifar10_10k')
    cfg.model.backbone = dict(type=kind, arch=arch, img_size=64, window_size=window)
    cfg.model.neck = dict(type='GlobalAveragePooling') if kind == 'SwinTransformer' else None
    cfg.test_dataloader.dataset.pipeline.insert(0, dict(type='Resize', scale=64))
    save_random(cfg, tmp_path / 'w.pth')
    for index in range(3):
        Image.fromarray(np.random.RandomState(index).randint(0, 256, (32, 32, 3), np.uint8)).save(
            tmp_path / f'{index}.png'
        )
    facts = export_classifier(cfg, tmp_path / 'w.pth', format, images=tmp_path)
    values, _ = load_exported(facts['file'])(torch.zeros(4, 3, 64, 64))
    assert facts['compared_on'] == '3 images' and values.shape == (4, 10)
