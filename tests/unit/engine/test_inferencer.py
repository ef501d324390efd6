"""The same image as a file, an RGB or a BGR array gets the scores that a test of the config gives it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpretrain import get_model
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image, ImageOps

import mmpod
from mmpod.datasets import SklearnDigits
from mmpod.utils.errors import UserError

DIGITS = 'pod_resnet18w8_digits'


def write(folder):
    """Two classes of one colour image each, in sizes that the pipeline makes equal."""
    random = np.random.RandomState(0)
    for name, size in dict(a=(12, 20), b=(16, 12)).items():
        (folder / name).mkdir(parents=True)
        cv2.imwrite(str(folder / name / '0.png'), random.randint(0, 256, (*size, 3), np.uint8) // [1, 2, 4])
    return [str(folder / name / '0.png') for name in 'ab']


def colour_config(folder, color_type='color', resize=True):
    cfg = Config.fromfile(mmpod.config_file('small/pod_digits'))
    pipeline = [dict(type='LoadImageFromFile', color_type=color_type), dict(type='PackInputs')]
    if resize:
        pipeline.insert(1, dict(type='Resize', scale=(16, 16)))
    channels = 1 if color_type == 'grayscale' else 3
    cfg.model.backbone.in_channels = channels
    cfg.data_preprocessor = dict(num_classes=10, mean=[60.0, 30, 10][:channels], std=[50.0] * channels, to_rgb=True)
    dataset = dict(type='CustomDataset', data_root=str(folder), pipeline=pipeline)
    cfg.test_dataloader = dict(cfg.test_dataloader, dataset=dataset, batch_size=1)
    return cfg


def with_weights(cfg, path):
    """Save random weights, and return their path and the scores of the test set."""
    model = get_model(cfg)
    with torch.no_grad():  # far from what is drawn, so that colours matter
        for parameter in model.backbone.parameters():
            parameter.mul_(1.5)
    torch.save(dict(state_dict=model.state_dict()), path)
    with DefaultScope.overwrite_default_scope('mmpretrain'), torch.no_grad():
        loader = Runner.build_dataloader(dict(cfg.test_dataloader.to_dict(), collate_fn=dict(type='default_collate')))
        return path, np.stack([sample.pred_score.numpy() for batch in loader for sample in model.test_step(batch)])


def scores(results):
    return np.stack([result['pred_scores'] for result in results])


@pytest.mark.parametrize('color_type', ['color', 'grayscale'])
def test_files_and_arrays_get_the_scores_of_a_test(color_type, tmp_path):
    files = write(tmp_path / 'images')
    cfg = colour_config(tmp_path / 'images', color_type)
    weights, expected = with_weights(cfg, tmp_path / 'weights.pth')
    inferencer = mmpod.Inferencer(cfg, weights)
    rgb, bgr = [np.array(Image.open(file)) for file in files], [cv2.imread(file) for file in files]
    by_file = inferencer(files)
    for results in (by_file, inferencer(rgb, 'rgb'), inferencer(bgr, channel_order='bgr', batch_size=2)):
        assert_allclose(scores(results), expected, atol=1e-6)
        assert [result['pred_label'] for result in results] == expected.argmax(axis=1).tolist()
        assert_allclose([result['pred_score'] for result in results], expected.max(axis=1), atol=1e-6)
    assert np.abs(scores(inferencer(rgb, 'bgr')) - expected).max() > 3e-3
    assert [result['img_path'] for result in by_file] == files


def test_a_photograph_on_its_side_is_turned_in_a_file_and_by_pillow(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    pixels = np.linspace(0, 255, 8 * 24 * 3).reshape(8, 24, 3).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'photograph.jpg', quality=95, exif=exif)
    image, inferencer = Image.open(tmp_path / 'photograph.jpg'), mmpod.Inferencer(DIGITS)
    upright, lying = [np.array(pil.convert('RGB')) for pil in (ImageOps.exif_transpose(image), image)]
    by_file, by_array, wrong = [scores(inferencer(i, 'rgb')) for i in (tmp_path / 'photograph.jpg', upright, lying)]
    assert_allclose(by_array, by_file, atol=1e-3)
    assert np.abs(wrong - by_file).max() > 0.01


@pytest.mark.parametrize('kind', ['gray', 'alpha', '16-bit', '16-bit alpha'])
def test_other_arrays_are_read_like_files_of_them(kind, tmp_path):
    write(tmp_path / 'images')
    cfg = colour_config(tmp_path / 'images')
    inferencer = mmpod.Inferencer(cfg, with_weights(cfg, tmp_path / 'weights.pth')[0])
    shape = (9, 14) if kind == 'gray' else (9, 14, 4 if 'alpha' in kind else 3)
    dtype = np.uint16 if '16-bit' in kind else np.uint8
    image = np.random.RandomState(0).randint(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
    cv2.imwrite(str(tmp_path / 'image.png'), image)
    (by_file,), (by_array,) = inferencer(tmp_path / 'image.png'), inferencer(image, channel_order='bgr')
    assert_array_equal(by_array['pred_scores'], by_file['pred_scores'])
    if kind == 'gray':
        assert_array_equal(inferencer(image[..., None])[0]['pred_scores'], by_file['pred_scores'])
    if 'alpha' in kind:
        assert_array_equal(inferencer(image[..., [2, 1, 0]], 'rgb')[0]['pred_scores'], by_file['pred_scores'])


@pytest.mark.parametrize('shape', [(8, 8), (8, 8, 3)])
@pytest.mark.parametrize('loading', [dict(), dict(imdecode_backend='pillow'), dict(color_type='unchanged')])
def test_16_bits_are_scaled_whatever_reads_them(loading, shape):
    cfg = Config.fromfile(mmpod.config_file('small/pod_digits'))
    pipeline = [dict(type='LoadImageFromFile', **loading), dict(type='PackInputs')]
    cfg.test_dataloader.dataset = dict(type='CustomDataset', data_root='nowhere', pipeline=pipeline)
    inferencer = mmpod.Inferencer(cfg, Path(mmpod.config_file('small/pod_digits')).with_suffix('.pth'))
    image = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
    deep = image.astype(np.uint16) * 257
    if 'color_type' in loading:
        with pytest.raises(ValueError, match="uint8 .* color_type='unchanged', but got uint16"):
            inferencer(deep, 'bgr')
    else:
        assert_array_equal(inferencer(deep, 'bgr')[0]['pred_scores'], inferencer(image, 'bgr')[0]['pred_scores'])


def test_a_folder_is_searched_and_named(tmp_path):
    files = write(tmp_path / 'deep' / 'images')
    (tmp_path / 'deep' / 'notes.txt').write_text('')
    results = mmpod.Inferencer(DIGITS)(tmp_path)
    assert [result['img_path'] for result in results] == files
    with pytest.raises(FileNotFoundError, match='Expected images'):
        (tmp_path / 'empty').mkdir()
        mmpod.Inferencer(DIGITS)(tmp_path / 'empty')


def test_the_shipped_weights_reach_their_recorded_accuracy(root):
    record = json.loads((root / 'configs/small/pod_digits.json').read_text())
    weights = root / 'configs/small/pod_digits.pth'
    assert weights.stat().st_size < 2**20
    digits = SklearnDigits(split='test', pipeline=[])
    images, labels = [digits[index]['img'] for index in range(len(digits))], digits.get_gt_labels()
    results = mmpod.Inferencer(record['model'])(images, channel_order=SklearnDigits.CHANNEL_ORDER, batch_size=100)
    correct = np.array([result['pred_label'] for result in results]) == labels
    assert abs(100 * correct.mean() - record['top1']) < 0.5  # two images
    assert [result['pred_class'] for result in results[:9]] == [str(result['pred_label']) for result in results[:9]]
    assert get_model(DIGITS, pretrained=True)._dataset_meta['classes'][7] == '7'  # mmpretrain's own finds them, too


def test_an_image_of_another_size_is_resized_to_that_of_the_test_set(tmp_path):
    digits = SklearnDigits(split='test', pipeline=[])
    images = [digits[index]['img'] for index in range(5)]
    larger = [image.repeat(4, axis=0).repeat(6, axis=1) for image in images]  # (32, 48, 3), the same after averaging
    cv2.imwrite(str(tmp_path / 'digit.png'), larger[0])
    inferencer = mmpod.Inferencer(DIGITS)
    expected, results = inferencer(images, 'bgr'), inferencer(larger, 'bgr', batch_size=5)
    assert_allclose(scores(results), scores(expected), atol=1e-6)
    assert_allclose(scores(inferencer(tmp_path / 'digit.png')), scores(expected[:1]), atol=1e-6)


def test_many_classes_have_only_the_best():
    inferencer = mmpod.Inferencer(DIGITS)
    image = np.random.RandomState(0).randint(0, 256, (8, 8), np.uint8)
    (every,) = inferencer(image)
    inferencer.model.head.MAX_SCORES = 9  # instead of 32,768
    scores = every.pop('pred_scores')
    assert inferencer(image) == [every] and every['pred_label'] == scores.argmax()


@pytest.mark.parametrize(
    'image, error, words',
    [
        (np.zeros((8, 8, 3), np.uint8), ValueError, "`channel_order` to be 'rgb' or 'bgr'.* got None"),
        (np.zeros((8, 8, 3)), TypeError, 'dtype uint8 .* got float64'),
        (np.zeros((3, 8, 8), np.uint8), ValueError, r'got \(3, 8, 8\)'),
        (np.zeros((2, 8, 8, 3), np.uint8), ValueError, 'several images as a list'),
        (torch.zeros(8, 8), TypeError, 'got Tensor'),
        ('nowhere.png', FileNotFoundError, 'nowhere.png'),
        (__file__, ValueError, 'to be an image that the pipeline reads'),
    ],
)
def test_anything_but_an_image_is_refused(image, error, words):
    with pytest.raises(error, match=words):
        mmpod.Inferencer(DIGITS)(image)


def test_an_array_that_the_pipeline_does_not_read_is_described():
    inferencer = mmpod.Inferencer(DIGITS)
    inferencer.pipeline = lambda results: 1 / 0
    with pytest.raises(ValueError, match=r'Expected an array of shape \(8, 9\) to be an image that the pipeline reads'):
        inferencer(np.zeros((8, 9), np.uint8))


def test_images_of_any_size_by_default(tmp_path):
    files = write(tmp_path / 'images')
    cfg = colour_config(tmp_path / 'images', resize=False)
    weights, expected = with_weights(cfg, tmp_path / 'weights.pth')
    inferencer = mmpod.Inferencer(cfg, weights)
    assert_allclose(scores(inferencer(files)), expected, atol=1e-6)
    with pytest.raises(ValueError, match='`batch_size`'):
        inferencer(files, batch_size=-1)


def test_a_checkpoint_is_needed_and_must_fit(root, tmp_path):
    with pytest.raises(UserError, match='`pod_resnet50_cifar10`, because no weights are published'):
        mmpod.Inferencer('pod_resnet50_cifar10')
    with pytest.raises(UserError, match='head.fc.weight'):
        mmpod.Inferencer('softmax_resnet18w8_digits', root / 'configs/small/pod_digits.pth')


@pytest.mark.parametrize('kind', ['file', 'Config', 'classes'])
def test_pure_python_configs_are_served_like_others(kind, pure_python, tmp_path):
    cfg = Config.fromfile(pure_python)
    text = Config.fromstring(cfg.pretty_text, '.py')
    weights, expected = with_weights(text, tmp_path / 'weights.pth')
    if kind == 'classes':
        text.test_dataloader.dataset.type = SklearnDigits
    inferencer = mmpod.Inferencer(dict(file=pure_python, Config=cfg, classes=text)[kind], weights)
    digits = SklearnDigits(split='test', pipeline=[])
    results = inferencer([digits[index]['img'] for index in range(3)], channel_order=SklearnDigits.CHANNEL_ORDER)
    assert_allclose(scores(results), expected[:3], atol=1e-6)
    assert inferencer.classes == list('0123456789') and 'test_dataloader' in inferencer.model._config
    assert 'test_dataloader' in cfg and 'test_dataloader' in text
