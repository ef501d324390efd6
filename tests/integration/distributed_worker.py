"""One process of test_distributed.py: trains on its part of each batch, rank 0 writes what came out.

torchrun --nproc_per_node=W tests/integration/distributed_worker.py FILE BACKEND SIZES [SIZES ...]

SIZES is the batch size of each process, 4,4.
"""

import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
import torch.distributed as dist
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmpretrain.registry import METRICS, MODEL_WRAPPERS, MODELS
from mmpretrain.structures import DataSample
from torch import nn

from mmpod.engine.runner_session import exit_process
from mmpod.utils.distributed import gather_rows

try:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    from torch.distributed.tensor import DTensor
except ImportError:  # PyTorch before 2.6
    fully_shard = None

NUM_CLASSES, CHANNELS, DIM = 4, 6, 8


def pedcc_head(**loss):
    return dict(type='mmpod.PEDCCHead', num_classes=NUM_CLASSES, in_channels=CHANNELS, feat_dim=DIM, loss=loss)


def learned_head(**loss):
    return dict(type='mmpod.LearnedPrototypeHead', num_classes=NUM_CLASSES, in_channels=CHANNELS, loss=loss)


CENTER = dict(type='mmpod.CenterLoss', num_classes=NUM_CLASSES, feat_dim=CHANNELS, center_weight=0.5)
HEADS = {
    'pod': pedcc_head(type='mmpod.PODLoss', sc_weight=2.0),
    'barlow': pedcc_head(type='mmpod.PODLoss', decorrelation='barlow'),
    'vicreg': pedcc_head(type='mmpod.PODLoss', decorrelation='vicreg', sc_weight=9.0),
    'normadaptive': pedcc_head(type='mmpod.NormAdaptivePODLoss', initial_delta=0.5),
    'weighted': pedcc_head(type='mmpod.PODLoss', class_weight=[1, 2, 3, 4]),
    'smoothed': pedcc_head(type='mmpod.PODLoss', class_weight=[1, 2, 3, 4], label_smooth_val=0.1),
    'pedccloss': pedcc_head(type='mmpod.PEDCCLoss', root=2),
    'center': learned_head(**CENTER),
    'lsoftmax': learned_head(type='mmpod.LSoftmaxLoss', base=2.0, gamma=0.5, power=1),
    'asoftmax': learned_head(type='mmpod.ASoftmaxLoss', base=2.0, gamma=0.5, lambda_min=0),
    'amsoftmax': learned_head(type='mmpod.AMSoftmaxLoss', focal_gamma=2.0),
}
ACCUMULATED = ('pod', 'barlow', 'pedccloss')
SHARDED = ('pod', 'center', 'amsoftmax')
LOCAL = {  # with the statistics of each process's own part
    f'local {name}': dict(HEADS[name], loss=dict(HEADS[name]['loss'], global_batch=False))
    for name in ('pod', 'amsoftmax', 'center')
}


class Network(nn.Module):
    """A backbone of one layer and a head; the same weights in every process."""

    def __init__(self, name):
        super().__init__()
        torch.manual_seed(0)
        self.backbone = nn.Linear(3, CHANNELS)
        self.head = MODELS.build({**HEADS, **LOCAL}[name])

    def forward(self, images, labels):
        samples = [DataSample().set_gt_label(int(label)) for label in labels]
        return sum(self.head.loss((self.backbone(images).relu(),), samples).values())


def whole_batch(num_samples):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(num_samples, 3, generator=generator), torch.arange(num_samples) % NUM_CLASSES


def two_steps(network, forward, images, labels):
    """Return the gradients of a second step (a state, where the loss has one, has moved on) and the buffers."""
    forward(images, labels)
    forward(images, labels).backward()
    if hasattr(network.head.loss_module, 'update_delta'):
        network.head.loss_module.update_delta(epochs_trained=3)
    return {
        **{name: parameter.grad for name, parameter in network.named_parameters()},
        **{name: buffer.double() for name, buffer in network.named_buffers() if name != 'head.centroids'},
    }


def accumulated(network, forward, parts, no_sync=nullcontext):
    """Return the gradients of two batches (images, labels) before one step, with a layer that no loss reaches."""
    with no_sync():
        forward(*parts[0]).backward()
    forward(*parts[1]).backward()
    return {name: parameter.grad for name, parameter in network.named_parameters() if parameter.grad is not None}


def with_unused_layer(name):
    network = Network(name)
    network.unused = nn.Linear(3, 3)
    return network


@contextmanager
def recorded():
    """Record the sizes of the tensors with two or more entries that this process gives to collectives."""
    sizes, originals = [], (dist.all_reduce, dist.all_gather)

    def all_reduce(tensor, *args, **kwargs):
        sizes.append(tensor.numel())
        return originals[0](tensor, *args, **kwargs)

    def all_gather(parts, tensor, *args, **kwargs):
        sizes.append(tensor.numel())
        return originals[1](parts, tensor, *args, **kwargs)

    dist.all_reduce, dist.all_gather = all_reduce, all_gather
    try:
        yield sizes
    finally:
        dist.all_reduce, dist.all_gather = originals
        sizes[:] = [size for size in sizes if size > 1]


def cot_classifier():
    """LeNet-5 has no batch norm, and mmpod's loss, unlike mmpretrain's, no mean over each process's own part."""
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='mmpod.COTClassifier',
            backbone=dict(type='LeNet5'),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(HEADS['amsoftmax'], in_channels=120),
            data_preprocessor=dict(num_classes=NUM_CLASSES, mean=[0.0], std=[1.0]),
        )
    )


def cot_steps(model, classifier, part):
    """Return the weights after two training steps of COT on the samples ``part`` of the batch."""
    settings = dict(constructor='mmpod.COTOptimWrapperConstructor', optimizer=dict(type='SGD', lr=0.1, momentum=0.9))
    wrappers = build_optim_wrapper(classifier, settings)
    images = torch.randn(8, 1, 32, 32, generator=torch.Generator().manual_seed(2))[part]
    samples = [DataSample().set_gt_label(label % NUM_CLASSES) for label in range(8)][part]
    for _ in range(2):
        model.train_step(dict(inputs=images, data_samples=samples), wrappers)
    return {name: parameter.detach() for name, parameter in classifier.named_parameters()}


def geometry(rank, processes, num_samples=25):
    """Return FeatureGeometry of fixed features, shared out as DefaultSampler does it: the last ranks repeat samples."""
    generator = torch.Generator().manual_seed(3)
    features, labels = torch.randn(num_samples, DIM, generator=generator), torch.arange(num_samples) % NUM_CLASSES
    metric = METRICS.build(dict(type='mmpod.FeatureGeometry'))
    metric.head = MODELS.build(HEADS['pod'])
    rounds = -(-num_samples // processes)
    for index in [i % num_samples for i in range(rank, rounds * processes, processes)]:
        metric.batch = features[index : index + 1]
        metric.process(None, [dict(gt_label=labels[index : index + 1], sample_idx=index)])
    return metric.evaluate(num_samples)


def main():
    path, backend, cases = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    dist.init_process_group(backend)
    init_default_scope('mmpretrain')
    rank, processes = dist.get_rank(), dist.get_world_size()
    results = {'geometry': geometry(rank, processes), 'gathered': gather_rows(torch.full((rank + 1,), rank))}
    for case in cases:
        sizes = [int(size) for size in case.split(',')]
        images, labels = (part.split(sizes)[rank] for part in whole_batch(sum(sizes)))
        for name in (*HEADS, *LOCAL):
            network = Network(name)
            wrapped = nn.parallel.DistributedDataParallel(network, broadcast_buffers=False)
            with recorded() as sizes_sent:
                results[f'{name} {case}'] = two_steps(network, wrapped, images, labels)
            results[f'sent by {name} {case}'] = sizes_sent
        for name in ACCUMULATED:
            network = with_unused_layer(name)
            wrapped = nn.parallel.DistributedDataParallel(network, broadcast_buffers=False, find_unused_parameters=True)
            parts = [(images, labels), (images.flip(0), labels.flip(0))]
            results[f'accumulated {name} {case}'] = accumulated(network, wrapped, parts, wrapped.no_sync)
        if fully_shard is not None and processes == 2:
            for name in SHARDED:
                network = Network(name)
                for part in (network.backbone, network):
                    fully_shard(part, mesh=init_device_mesh('cpu', (processes,)))
                results[f'sharded {name} {case}'] = {
                    key: value.full_tensor() if isinstance(value, DTensor) else value
                    for key, value in two_steps(network, network, images, labels).items()
                }
    if processes == 2:
        classifier = cot_classifier()
        wrapped = MODEL_WRAPPERS.build(dict(type='mmpod.COTDistributedDataParallel', module=classifier))
        assert isinstance(wrapped, MMDistributedDataParallel)
        results['cot'] = cot_steps(wrapped, classifier, (slice(5), slice(5, 8))[rank])
    if rank == 0:
        torch.save(results, path)
    dist.barrier()
    dist.destroy_process_group()
    exit_process()


if __name__ == '__main__':
    main()
