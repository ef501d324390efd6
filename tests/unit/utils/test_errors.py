"""Which errors are the user's, and what is said of them."""

from types import SimpleNamespace
from urllib.error import URLError

import pytest
import torch
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpretrain.registry import DATASETS, MODELS
from torch.utils.data import DataLoader

from mmpod.utils.checks import check_integer
from mmpod.utils.errors import UserError, errors_as_exit, user_sentence


def sentence_of(call):
    try:
        call()
    except Exception as error:
        return user_sentence(error)
    raise AssertionError('no error')


def raising(error):
    def call():
        raise error

    return call


def test_mistakes_of_the_user_and_refusals_are_sentences(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sentence_of(raising(UserError('Wrong; do this.'))) == 'Wrong; do this.'
    assert sentence_of(raising(ModuleNotFoundError("No module named 'x'"))) == "No module named 'x'"
    assert sentence_of(lambda: check_integer('n', 0, 1)).startswith('Expected `n` to be an integer of at least 1')
    assert sentence_of(lambda: check_integer('n', 'x', 1)).startswith('Expected `n`')
    assert f'`{tmp_path}/data/x.txt`' in sentence_of(lambda: open('data/x.txt'))


def test_bugs_are_raised_as_they_are():
    for bug in (lambda: int('x'), lambda: {}['key'], lambda: None.x, lambda: [][1], raising(RuntimeError('a'))):
        assert sentence_of(bug) is None
    with pytest.raises(ZeroDivisionError), errors_as_exit():
        divmod(1, 0)


def test_a_bug_inside_a_check_is_not_a_refusal():
    """In a file of mmpod, but not from a `raise` statement."""
    assert sentence_of(lambda: check_integer('n', 1, 'x')) is None


@pytest.mark.parametrize(
    'kind, meant',
    [
        ('mmpod.PodLoss', 'mmpod.PODLoss'),
        ('PODloss', 'PODLoss'),
        ('CrossEntropyLos', 'CrossEntropyLoss'),
        ('mmpretrain.ImageClasifier', 'mmpretrain.ImageClassifier'),
    ],
)
def test_misspelt_types(kind, meant):
    said = sentence_of(lambda: MODELS.build(dict(type=kind)))
    assert said == f"Expected `type` to be the name of a registered model, but got '{kind}'. Did you mean '{meant}'?"


def test_unknown_types_and_arguments_that_do_not_fit():
    assert 'custom_imports' in sentence_of(lambda: MODELS.build(dict(type='Qwertyuiop')))
    said = sentence_of(lambda: MODELS.build(dict(type='mmpod.PODLoss', sc_wight=1)))
    assert said.startswith('mmpod.PODLoss cannot be built from the config: ') and 'sc_wight' in said


@pytest.mark.parametrize(
    'work, words',
    [
        (lambda runner: MODELS.build(dict(type='mmpod.PODLoss', sc_wight=1)), 'mmpod.PODLoss cannot be built from'),
        (lambda runner: check_integer('n', 'x', 1), 'Expected `n` to be an integer'),
        (lambda runner: len(1), None),
    ],
    ids=['build', 'check', 'bug'],
)
def test_what_a_hook_raises(work, words):
    """MMEngine raises a TypeError of a hook again."""
    hook = SimpleNamespace(before_test=work)
    said = sentence_of(lambda: Runner.call_hook(SimpleNamespace(_hooks=[hook]), 'before_test'))
    assert said is None if words is None else said.startswith(words) and 'namespace' not in said


def test_a_folder_without_images_and_a_bug_while_building(tmp_path):
    (tmp_path / 'cat').mkdir()
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        said = sentence_of(lambda: DATASETS.build(dict(type='CustomDataset', data_root=str(tmp_path))))
    assert said.startswith('CustomDataset cannot be built from the config: Found 0 files') and str(tmp_path) in said
    assert sentence_of(lambda: MODELS.build(dict(type=lambda: torch.ones(2) @ torch.ones(3)))) is None


def test_message_from_a_worker_process_is_its_last_line():
    text = 'Caught OSError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\nOSError: cut'
    assert sentence_of(raising(OSError(text))) == 'cut'


class Broken:
    """A dataset of one sample that cannot be read."""

    def __init__(self, read):
        self.read = read

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.read()


@pytest.mark.parametrize('workers', [0, 1])
def test_errors_in_worker_processes_are_those_of_the_main_process(workers):
    def said(read):
        return sentence_of(lambda: next(iter(DataLoader(Broken(read), num_workers=workers))))

    assert said(lambda: check_integer('n', 0, 1)) == 'Expected `n` to be an integer of at least 1, but got 0.'
    assert said(lambda: check_integer('n', 1, 'x')) is None
    assert said(lambda: int('x')) is None


def test_the_process_ends_with_the_sentence():
    with pytest.raises(SystemExit) as stopped, errors_as_exit():
        raise UserError('Wrong.')
    assert stopped.value.code == 'error: Wrong.'


@pytest.mark.parametrize('norm', [torch.nn.BatchNorm1d(2), torch.nn.BatchNorm2d(2)])
def test_a_batch_norm_of_one_image_names_what_to_set(norm):
    features = torch.zeros(1, 2) if isinstance(norm, torch.nn.BatchNorm1d) else torch.zeros(1, 2, 1, 1)
    assert 'at least 2 images in every training batch' in sentence_of(lambda: norm(features))
    assert 'train_dataloader.drop_last=True' in sentence_of(lambda: norm(features))


def test_a_metric_without_labels_names_what_to_leave_out():
    sentence = user_sentence(KeyError('gt_label'))
    assert 'no `gt_label`' in sentence and 'test_evaluator=[] --out predictions.pkl' in sentence
    assert user_sentence(KeyError('another')) is None


def test_a_failed_download_names_what_to_do():
    said = sentence_of(raising(URLError('Name or service not known')))
    assert said.startswith('Expected to download a file, but got: Name or service not known. Check the connection')


def test_an_inherited_argument_that_does_not_fit_names_delete():
    said = sentence_of(lambda: MODELS.build(dict(type='mmpod.PODLoss', mode='original')))
    assert said.endswith("argument 'mode'. If an inherited config sets it, add `_delete_=True` beside `type`.")


def test_an_interrupt_is_one_sentence(capsys):
    with pytest.raises(SystemExit) as caught, errors_as_exit():
        raise KeyboardInterrupt
    assert caught.value.code == 130 and capsys.readouterr().err.startswith('Interrupted.')


def test_images_of_different_sizes_in_a_batch():
    images = [torch.zeros(3, 41, 54), torch.zeros(3, 53, 61)]
    for num_workers in (0, 1):
        with pytest.raises(RuntimeError) as caught:
            next(iter(DataLoader(images, batch_size=2, num_workers=num_workers)))
        assert 'one size, but got [3, 41, 54] at entry 0 and [3, 53, 61] at entry 1. Resize' in user_sentence(
            caught.value
        )
