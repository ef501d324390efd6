"""Unknown images come through the test pipeline, and the scores are those of the field, for every kind of head."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpretrain.datasets import CIFAR10
from mmpretrain.registry import DATASETS
from PIL import Image
from sklearn.metrics import roc_auc_score, roc_curve

import mmpod
from mmpod.engine import OpenSetHook
from mmpod.engine.runner_session import runner_session
from mmpod.models import PEDCCHead

SCORES = ('max_probability', 'energy', 'max_cosine')
LOAD, PACK = dict(type='LoadImageFromFile'), dict(type='PackInputs')


@DATASETS.register_module()
class RGBArrays(CIFAR10):
    """Stands for mmpretrain's CIFAR-10, which holds RGB."""

    METAINFO = dict(classes=list('0123456789'))
    IMAGE_SIZE = (8, 8)

    def load_data_list(self):
        files = sorted(path for path in (self.folder / 'test').rglob('*') if path.is_file())
        return [dict(img=np.array(Image.open(path)), gt_label=index % 10) for index, path in enumerate(files)]


@pytest.fixture
def run(tmp_path):
    """Test a config of random weights on a folder, with another as the unknown images; return model and metrics."""

    def run(known, unknown, pipeline=(LOAD, PACK), config='small/softmax_digits', kind='CustomDataset', **options):
        torch.manual_seed(0)
        cfg = Config.fromfile(mmpod.config_file(config))
        cfg.test_dataloader = dict(
            batch_size=4,
            num_workers=0,
            dataset=dict(type=kind, data_root=str(known), pipeline=list(pipeline)),
            sampler=dict(type='DefaultSampler', shuffle=False),
        )
        cfg.train_dataloader = cfg.val_dataloader = cfg.test_dataloader
        cfg.test_evaluator = dict(type='Accuracy')
        cfg.custom_hooks = [dict(type='mmpod.OpenSetHook', unknown=str(unknown))]
        cfg.merge_from_dict(dict(options, work_dir=str(tmp_path / 'work'), log_level='ERROR'))
        with runner_session(cfg) as runner:
            return runner.model, runner.test()

    return run


def write(folder, suffix, size=(8, 8), **save):
    """Write two images in each of ten class folders."""
    random = np.random.RandomState(len(suffix))
    for index in range(20):
        path = folder / 'test' / f'class {index // 2}' / f'{index}{suffix}'
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.randint(0, 256, (*size, 3)) // [1, 2, 6]
        Image.fromarray(pixels.astype(np.uint8)).save(path, **save)
    return folder / 'test'


def rotated():
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    return exif


@pytest.mark.parametrize(
    'case',
    [
        dict(images=dict(suffix='.png', size=(12, 10)), pipeline=[LOAD, dict(type='CenterCrop', crop_size=8), PACK]),
        dict(images=dict(suffix='.jpg', size=(8, 12), exif=rotated())),
        dict(images=dict(suffix='.png'), pipeline=[PACK], kind='RGBArrays'),
    ],
    ids=['crop', 'EXIF', 'RGB arrays'],
)
def test_known_images_against_the_same_files(case, run, tmp_path):
    case = dict(case)
    folder = write(tmp_path / 'known', **case.pop('images'))
    RGBArrays.folder = tmp_path / 'known'
    _, metrics = run(folder, folder, **case)
    for score in SCORES:
        assert metrics[f'open_set/{score}_auroc'] == 50


@pytest.mark.parametrize('config', ['small/softmax_digits', 'small/pod_digits'])
def test_scores_against_scikit_learn(config, run, tmp_path):
    """From the logits of images that OpenCV reads and resizes here."""
    known, unknown = write(tmp_path / 'known', '.png'), write(tmp_path / 'unknown', '.jpeg', (16, 12))
    resize = dict(type='Resize', scale=(8, 8), interpolation='area')
    model, metrics = run(known, unknown, [LOAD, resize, PACK], config)
    images = []
    for folder in (known, unknown):
        files = [cv2.imread(str(path)) for path in sorted(folder.rglob('*.*g'))]
        images += [cv2.resize(image, (8, 8), interpolation=cv2.INTER_AREA)[..., ::-1] for image in files]
    with torch.no_grad():
        feats = model.extract_feat((torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2) - 78.0) / 96)
        logits = model.head(feats).double()
    weights = getattr(model.head, 'prototypes', None) if 'pod' in config else model.head.fc.weight
    cosines = torch.nn.functional.cosine_similarity(
        model.head.pre_logits(feats)[:, None].double(), weights[None].double(), dim=2
    )
    scores = dict(
        max_probability=logits.softmax(1).amax(1), energy=logits.exp().sum(1).log(), max_cosine=cosines.amax(1)
    )
    for name, values in scores.items():
        known_or_not = [1] * 20 + [0] * 20, values.detach().numpy()
        assert metrics[f'open_set/{name}_auroc'] == pytest.approx(100 * roc_auc_score(*known_or_not)), name
        false, true, _ = roc_curve(*known_or_not, drop_intermediate=False)
        assert metrics[f'open_set/{name}_fpr95'] == pytest.approx(100 * false[np.argmax(true >= 0.95 - 1e-9)]), name
    assert metrics['open_set/energy_auroc'] != 50


def test_with_many_classes_scores_and_geometry_are_the_same(run, tmp_path, monkeypatch):
    """Then the head predicts a part of the classes at a time, without its `forward`."""
    known, unknown = write(tmp_path / 'known', '.png'), write(tmp_path / 'unknown', '.jpeg')
    options = {'default_hooks.features': dict(type='mmpod.FeaturesHook', geometry=True), 'randomness.seed': 0}
    _, expected = run(known, unknown, config='small/pod_digits', **options)
    monkeypatch.setattr(PEDCCHead, 'MAX_SCORES', 9)  # instead of 32,768
    _, metrics = run(known, unknown, config='small/pod_digits', **options)
    names = {'open_set/max_cosine_auroc', 'geometry/target_cosine', 'accuracy/top1'}
    assert names <= set(metrics) and {**expected, **metrics} == pytest.approx(expected)


def test_a_way_to_read_files_that_is_unknown_is_named(run, tmp_path):
    from mmpretrain.datasets import BaseDataset

    @DATASETS.register_module(force=True)
    class Arrays(BaseDataset):
        METAINFO = dict(classes=list('0123456789'))

        def load_data_list(self):
            return [dict(img=np.zeros((8, 8, 3), np.uint8), gt_label=label) for label in range(10)]

    with pytest.raises(ValueError, match='order of its arrays is unknown.*dataset as `unknown`'):
        run('', tmp_path, [PACK], kind='Arrays', **{'test_dataloader.dataset.ann_file': ''})


def test_a_broken_image_is_named(run, tmp_path):
    known = write(tmp_path / 'known', '.png')
    (tmp_path / 'unknown').mkdir()
    (tmp_path / 'unknown' / 'broken.png').write_bytes(b'nothing')
    with pytest.raises(ValueError, match='broken.png` to be an image'):
        run(known, tmp_path / 'unknown')


@pytest.mark.parametrize('as_config', [False, True])
def test_a_folder_without_images_is_named_before_the_test(as_config, runner_before_test, tmp_path):
    folder = str(tmp_path / 'missing')
    unknown = dict(type='mmpod.UnlabelledImages', data_root=folder, pipeline=[]) if as_config else folder
    with pytest.raises(FileNotFoundError, match='missing'):
        OpenSetHook(unknown).before_test(runner_before_test(torch.nn.Identity()))
    OpenSetHook().before_test(None)
