from types import SimpleNamespace

import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.runner import EpochBasedTrainLoop
from mmpretrain.evaluation import Accuracy
from mmpretrain.models import ClsHead, ImageToImageRetriever, MultiLabelClsHead
from mmpretrain.registry import DATASETS
from mmpretrain.structures import DataSample
from torch.utils.data import DataLoader

from mmpod.engine import CheckDataHook
from mmpod.utils.errors import UserError


def loader_of(classes, num_samples=4, **options):
    dataset = [0] * num_samples if classes is None else type('Named', (list,), dict(metainfo=dict(classes=classes)))
    return DataLoader(dataset if classes is None else dataset([0] * num_samples), **options)


def runner_of(num_classes=3, train='abc', val='abc', test='abc', resume=False, topk=1, **options):
    model = torch.nn.Module()
    model.head = torch.nn.Module()
    model.head.num_classes = num_classes
    return SimpleNamespace(
        model=model,
        train_loop=object.__new__(EpochBasedTrainLoop),
        val_loop=val and object(),
        train_dataloader=loader_of(train, **options),
        val_dataloader=loader_of(val),
        test_dataloader=loader_of(test),
        val_evaluator=Evaluator(Accuracy(topk=topk)),
        test_evaluator=Evaluator(Accuracy(topk=topk)),
        _resume=resume,
    )


def trained_on(classes):
    hook = CheckDataHook()
    hook.after_load_checkpoint(None, dict(meta=dict(dataset_meta=dict(classes=classes)) if classes else {}))
    return hook


def test_what_agrees_or_is_unknown_passes():
    for runner in (runner_of(), runner_of(None), runner_of(train=None), runner_of(val=None), runner_of(test=None)):
        for classes in ('abc', ('a', 'b', 'c'), None):
            for stage in (CheckDataHook.before_train, CheckDataHook.before_val, CheckDataHook.before_test):
                stage(trained_on(classes), runner)


@pytest.mark.parametrize('stage', ['train', 'val', 'test'])
def test_head_with_another_number_of_classes(stage):
    with pytest.raises(UserError, match=rf'3 classes of {stage}_dataloader, but got 2.*model.head.num_classes=3'):
        getattr(CheckDataHook(), f'before_{stage}')(runner_of(2))


@pytest.mark.parametrize('topk', [5, (1, 5)])
def test_accuracy_among_more_classes_than_there_are(topk):
    with pytest.raises(UserError, match=r'`topk` of Accuracy in val_evaluator to be at most 3.* got \(.*5,?\)'):
        CheckDataHook().before_train(runner_of(topk=topk))
    with pytest.raises(UserError, match='in test_evaluator to be at most 3'):
        CheckDataHook().before_test(runner_of(topk=topk))
    for runner in (runner_of(topk=(1, 3)), runner_of(topk=topk, val=None), runner_of(None, None, None, topk=topk)):
        CheckDataHook().before_train(runner)


@pytest.mark.parametrize(
    'val, difference',
    [
        ('ab', "2 classes instead of 3, the first difference at label 2: None instead of 'c'"),
        ('abcd', "4 classes instead of 3, the first difference at label 3: 'd' instead of None"),
        ('acb', "3 classes instead of 3, the first difference at label 1: 'c' instead of 'b'"),
    ],
)
def test_validation_set_with_other_classes(val, difference):
    with pytest.raises(UserError, match=f'of val_dataloader to be those of train_dataloader, but got {difference}'):
        CheckDataHook().before_train(runner_of(val=val))


@pytest.mark.parametrize(
    'wrap',
    [
        lambda leaf: leaf,
        lambda leaf: dict(type='mmengine.RepeatDataset', times=2, dataset=leaf),
        lambda leaf: dict(type='mmpod.InMemoryImages', dataset=leaf),
    ],
    ids=['plain', 'wrapper', 'in memory'],
)
def test_folders_in_another_order_under_the_same_names(wrap, image_folder, tmp_path):
    """Here `metainfo` hides that label 0 is two in one set and one in the other."""
    image_folder(['10_two', '1_one'], root=tmp_path, splits=['train'])
    image_folder(['01_one', '10_two'], root=tmp_path, splits=['test'])
    pipeline, metainfo = [dict(type='LoadImageFromFile')], dict(classes=['one', 'two'])
    leaf = dict(type='mmpretrain.CustomDataset', data_root=str(tmp_path), pipeline=pipeline, metainfo=metainfo)
    sets = {split: DATASETS.build(wrap(dict(leaf, data_prefix=split))) for split in ('train', 'test')}
    runner = runner_of(2)
    runner.train_dataloader, runner.val_dataloader = DataLoader(sets['train']), DataLoader(sets['train'])
    CheckDataHook().before_train(runner)
    runner.val_dataloader = DataLoader(sets['test'])
    with pytest.raises(UserError, match="label 0: '01_one' instead of '10_two'.*rename the folders.*ann_file"):
        CheckDataHook().before_train(runner)


def test_folders_of_a_joined_set_in_another_order(image_folder, tmp_path):
    names = {'a': ['1', '2'], 'b': ['01', '2']}
    parts = [
        dict(
            type='mmpretrain.CustomDataset',
            data_root=str(image_folder(folders, root=tmp_path / name, splits=['train'])),
        )
        for name, folders in names.items()
    ]
    parts = [dict(part, data_prefix='train', pipeline=[], metainfo=dict(classes=['one', 'two'])) for part in parts]
    runner = runner_of(2)
    runner.test_dataloader = DataLoader(DATASETS.build(dict(type='mmengine.ConcatDataset', datasets=parts)))
    with pytest.raises(UserError, match='of dataset 1 of ConcatDataset to be those of dataset 0'):
        CheckDataHook().before_test(runner)


def test_evaluated_and_resumed_checkpoints_need_the_same_classes_and_fine_tuning_does_not():
    hook = trained_on('abd')
    for stage in (hook.before_val, hook.before_test):
        with pytest.raises(UserError, match='to be those of the checkpoint'):
            stage(runner_of())
    with pytest.raises(UserError, match='of train_dataloader to be those of the checkpoint'):
        hook.before_train(runner_of(resume=True))
    hook.before_train(runner_of())
    hook.before_val(runner_of())


def test_training_set_without_a_batch():
    runner = runner_of(num_samples=5, batch_size=8, drop_last=True)
    with pytest.raises(UserError, match='5 samples per process.*drop_last=False'):
        CheckDataHook().before_train(runner)
    runner.train_loop = None  # an iteration-based loop draws from the training set again and again
    CheckDataHook().before_train(runner)
    CheckDataHook().before_train(runner_of(num_samples=8, batch_size=8, drop_last=True))


def test_a_batch_of_one_image_before_a_batch_norm():
    runner = runner_of(num_samples=9, batch_size=4)
    CheckDataHook().before_train(runner)
    runner.model.head.norm = torch.nn.BatchNorm1d(2)
    single = runner_of(num_samples=9, batch_size=1, drop_last=True)
    single.model.head.norm = runner.model.head.norm
    with pytest.raises(UserError, match='each would have 1. Raise train_dataloader.batch_size'):
        CheckDataHook().before_train(single)
    with pytest.raises(UserError, match='last of an epoch would have 1. Set train_dataloader.drop_last=True'):
        CheckDataHook().before_train(runner)
    for options in (dict(num_samples=9, drop_last=True), dict(num_samples=10)):
        runner.train_dataloader = loader_of('abc', batch_size=4, **options)
        CheckDataHook().before_train(runner)


@pytest.mark.parametrize('stage, source', [('train', 'val'), ('val', 'val'), ('test', 'test')])
def test_an_evaluation_that_leaves_images_out(stage, source):
    runner, check = runner_of(), getattr(CheckDataHook(), f'before_{stage}')
    setattr(runner, f'{source}_dataloader', loader_of('abc', 9, batch_size=4, drop_last=True))
    with pytest.raises(UserError, match=f'leaves 1 of 9 .*Set {source}_dataloader.drop_last=False'):
        check(runner)
    for options in (dict(num_samples=9), dict(num_samples=8, drop_last=True)):
        setattr(runner, f'{source}_dataloader', loader_of('abc', batch_size=4, **options))
        check(runner)


@pytest.mark.parametrize('stage', ['train', 'val', 'test'])
def test_labels_out_of_range(stage):
    def batch(*labels):
        return dict(data_samples=[DataSample().set_gt_label(label) for label in labels])

    look = getattr(CheckDataHook(), f'before_{stage}_iter')
    views = [batch(0, 1)['data_samples'], batch(0, 1)['data_samples']]
    for good in (batch(0, 2), batch([0, 1], [2]), dict(data_samples=[DataSample()]), [1, 2], dict(data_samples=views)):
        look(runner_of(), 0, good)
    look(runner_of(None), 0, batch(9))
    for bad in (batch(0, 3), batch(-1, 0)):
        with pytest.raises(ValueError, match=r'`labels` to lie in \[0, 3\), but got values from -?[01] to [03]'):
            look(runner_of(), 0, bad)


@pytest.mark.parametrize('stage', ['train', 'val', 'test'])
def test_several_labels_of_an_image(stage):
    def look(head, *labels):
        runner = runner_of()
        runner.model.head = head
        runner.model.head.num_classes = 3
        samples = [DataSample(metainfo=dict(img_path=f'{index}.png')) for index in range(len(labels))]
        for sample, label in zip(samples, labels):
            sample.set_gt_label(torch.tensor(label, dtype=torch.long))
        getattr(CheckDataHook(), f'before_{stage}_iter')(runner, 0, dict(data_samples=samples))

    look(ClsHead(), [1], [2])
    look(MultiLabelClsHead(), [1], [0, 2])
    for labels in ([[1], [0, 2]], [[2], [], [0, 2]]):  # the second has as many labels as images
        with pytest.raises(ValueError, match=f'one label per image, but 1.png has {len(labels[1])}.*MultiLabel'):
            look(ClsHead(), *labels)


def test_unlabelled_images_are_refused_in_training_only():
    runner = runner_of()
    runner.model.head = ClsHead()
    runner.model.head.num_classes = 3
    hook, batch = CheckDataHook(), dict(data_samples=[DataSample(metainfo=dict(img_path='a.png'))])
    hook.before_test_iter(runner, 0, batch)
    with pytest.raises(ValueError, match='one label per image, but a.png has 0.*`with_label=False`'):
        hook.before_train_iter(runner, 0, batch)
    batch['data_samples'][0].set_gt_score(torch.tensor([0.5, 0.5, 0.0]))
    hook.before_train_iter(runner, 0, batch)


def test_a_retriever_is_evaluated_on_other_classes_and_by_places_in_its_gallery():
    runner, batch = runner_of(val='de', test='defg'), dict(data_samples=[DataSample().set_gt_label([0, 31])])
    encoder, head = torch.nn.Identity(), runner.model.head
    runner.model = ImageToImageRetriever(encoder, prototype='gallery.pth', head=head)
    hook = trained_on('abc')
    for stage in ('val', 'test'):
        getattr(hook, f'before_{stage}')(runner)
        getattr(hook, f'before_{stage}_iter')(runner, 0, batch)
    hook.before_train(runner)
    with pytest.raises(ValueError, match='got values from 0 to 31'):
        hook.before_train_iter(runner, 0, batch)
    runner.train_dataloader = loader_of('ab')
    with pytest.raises(UserError, match='2 classes of train_dataloader'):
        hook.before_train(runner)
