"""One process of tests/test_distributed.py: computes on its part of each batch, rank 0 writes the results.

torchrun --nproc_per_node=W tests/distributed_worker.py FILE SIZES [SIZES ...]    (SIZES: a batch size a process, 4,4)
"""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from mmpretrain.structures import DataSample
from torch import nn

from mmpod.models import PEDCCHead, PODLoss

NUM_CLASSES, CHANNELS, DIM = 4, 6, 8


class Network(nn.Module):
    """A backbone of one layer and a head; the same weights and batch in every process."""

    def __init__(self, global_batch=True):
        super().__init__()
        torch.manual_seed(0)
        self.backbone = nn.Linear(3, CHANNELS)
        self.head = PEDCCHead(NUM_CLASSES, CHANNELS, DIM, loss=PODLoss(sc_weight=2.0, global_batch=global_batch))

    def forward(self, images, labels):
        samples = [DataSample().set_gt_label(int(label)) for label in labels]
        return sum(self.head.loss((self.backbone(images).relu(),), samples).values())


def whole_batch(num_samples):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(num_samples, 3, generator=generator), torch.arange(num_samples) % NUM_CLASSES


def gradients(network):
    return {name: parameter.grad for name, parameter in network.named_parameters()}


def main():
    path, cases = Path(sys.argv[1]), sys.argv[2:]
    dist.init_process_group('gloo')
    rank = dist.get_rank()
    results = {}
    for case in cases:
        sizes = [int(size) for size in case.split(',')]
        images, labels = (part.split(sizes)[rank] for part in whole_batch(sum(sizes)))
        for kind, global_batch in (('global', True), ('local', False)):
            network = Network(global_batch)
            wrapped = nn.parallel.DistributedDataParallel(network)  # kept: it averages the gradients while it lives
            wrapped(images, labels).backward()
            results[f'{kind} {case}'] = gradients(network)
    if rank == 0:
        torch.save(results, path)
    dist.barrier()
    dist.destroy_process_group()


if __name__ == '__main__':
    main()
