"""What all tests share: deterministic seeds, commands and tools, images. `helpers` imports torch, hence inside."""

import functools
import gc
import os
from pathlib import Path

import pytest


def pytest_configure(config):
    """Hide the GPU, before torch looks for one, unless the run is `-m gpu`: processes cannot share one with NCCL."""
    if config.option.markexpr != 'gpu':
        os.environ['CUDA_VISIBLE_DEVICES'] = ''
    import mmengine.config.utils
    import torch

    import mmpod  # noqa: F401  (registers)

    # MMEngine would read all metafiles of mmpretrain for each base that a config inherits from it.
    mmengine.config.utils.load = functools.lru_cache(maxsize=None)(mmengine.config.utils.load)
    torch.set_num_threads(1)  # small tensors gain nothing from more, and waiting for a busy core is slow


def pytest_collection_finish():
    """Keep what has been imported from the garbage collections that MMEngine asks for with every dataset."""
    gc.freeze()


def pytest_runtest_setup(item):
    import torch

    if item.get_closest_marker('gpu') and not torch.cuda.is_available():
        pytest.skip('needs a GPU that is not hidden: make test-gpu')


@pytest.fixture(autouse=True)
def seed():
    import torch

    torch.manual_seed(0)


@pytest.fixture(scope='session')
def root():
    return Path(__file__).resolve().parents[1]


@pytest.fixture
def run_command(tmp_path):
    """helpers.run_command in an empty folder."""
    import helpers

    return functools.partial(helpers.run_command, cwd=tmp_path)


@pytest.fixture
def tool(tmp_path, monkeypatch, capfd):
    """Call a tool in this process and an empty folder; return what it said and its error, '' where it ended well."""
    import helpers

    monkeypatch.chdir(tmp_path)

    def call(name, *arguments):
        capfd.readouterr()
        error = helpers.call_tool(name, *arguments)
        said = capfd.readouterr()
        return said.out + said.err, error

    return call


@pytest.fixture
def image_folder(tmp_path):
    """Return a function that writes `per_class` random PNGs per class and split and returns their folder."""

    def write(classes, per_class=2, root=tmp_path / 'images', splits=('train', 'test'), size=32):
        import cv2
        import numpy as np

        random = np.random.RandomState(0)
        for split in splits:
            for name in classes:
                folder = root / split / name
                folder.mkdir(parents=True)
                for index in range(per_class):
                    cv2.imwrite(str(folder / f'{index:04d}.png'), random.randint(0, 256, (size, size, 3), np.uint8))
        return root

    return write


PURE_PYTHON = """
from mmengine.dataset import DefaultSampler
from mmengine.optim import OptimWrapper
from mmpretrain.datasets import PackInputs
from mmpretrain.evaluation import Accuracy
from mmpretrain.models import ClsDataPreprocessor, GlobalAveragePooling, ImageClassifier, ResNet_CIFAR
from torch.optim import SGD

from mmpod.datasets import SklearnDigits
from mmpod.models import PEDCCHead

model = dict(
    type=ImageClassifier,
    backbone=dict(type=ResNet_CIFAR, depth=18, base_channels=8, stem_channels=8),
    neck=dict(type=GlobalAveragePooling),
    head=dict(type=PEDCCHead, num_classes=10, in_channels=64, feat_dim=16))
data_preprocessor = dict(type=ClsDataPreprocessor, num_classes=10, mean=[78.0] * 3, std=[96.0] * 3)
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(type=SklearnDigits, split='train', pipeline=[dict(type=PackInputs)]),
    sampler=dict(type=DefaultSampler, shuffle=True))
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(type=SklearnDigits, split='test', pipeline=[dict(type=PackInputs)]),
    sampler=dict(type=DefaultSampler, shuffle=False))
test_dataloader = val_dataloader
val_evaluator = test_evaluator = dict(type=Accuracy)
train_cfg, val_cfg, test_cfg = dict(by_epoch=True, max_epochs=1), dict(), dict()
optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=SGD, lr=0.1))
default_hooks = dict()
"""


@pytest.fixture
def pure_python(tmp_path):
    """Return the file of a complete config of MMEngine's new style, whose types are classes."""
    (tmp_path / 'pure_python.py').write_text(PURE_PYTHON)
    return tmp_path / 'pure_python.py'
