"""Compare head and loss of every method with softmax (LinearClsHead, cross entropy): operations, time and memory.

python benchmarks/losses.py

It runs forward and backward from pooled features of ResNet-50, with a batch of 128, K = 100, D = 512 and the heads of
the ResNet-50 configs. COT is left out, because its cost is a second pass through the whole network.
"""

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from timing import describe, in_turns, operations, ratio

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
NUM_CLASSES, CHANNELS, DIM, BATCH, ROUNDS = 100, 2048, 512, 128, 15
NAMES = [
    'softmax_resnet50_cifar100',
    'lsoftmax_resnet50_cifar100',
    'asoftmax_resnet50_cifar100',
    'amsoftmax_resnet50_cifar100',
    'center_resnet50_cifar100',
    'pedccloss_resnet50_cifar100',
    'pedccmse_resnet50_cifar10',
    'cosine_resnet50_cifar100',
    'pod_resnet50_cifar100',
    'pod_resnet50_cifar10_normadaptive',
    'pod_resnet50_cifar10_barlow',
    'pod_resnet50_cifar10_vicreg',
]


def build_head(name: str) -> torch.nn.Module:
    """Return the head of a config with 100 classes and 512 dimensions."""
    head = Config.fromfile(CONFIGS / f'{name}.py').model.head
    head.num_classes = NUM_CLASSES
    if 'feat_dim' in head:
        head.feat_dim = DIM
    return MODELS.build(head)


def mebibytes_kept(head: torch.nn.Module, step) -> float:
    """Return the size of weights, gradients, buffers, and the tensors saved for the backward pass."""
    own = {parameter.data_ptr(): 2 * parameter.nbytes for parameter in head.parameters()}
    own.update({buffer.data_ptr(): buffer.nbytes for buffer in head.buffers()})
    kept = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        step()
    return (sum(own.values()) + sum(size for pointer, size in kept.items() if pointer not in own)) / 2**20


def main() -> None:
    """Print a table relative to softmax."""
    init_default_scope('mmpretrain')
    torch.set_num_threads(1)
    torch.manual_seed(0)
    samples = [DataSample().set_gt_label(index % NUM_CLASSES) for index in range(BATCH)]
    pooled = torch.randn(BATCH, CHANNELS).relu().requires_grad_()
    steps, memory = {}, {}
    for name in NAMES:
        head = build_head(name)

        def step(head=head):
            losses = head.loss((pooled,), samples)
            sum(losses.values()).backward()

        steps[name] = step
        memory[name] = mebibytes_kept(head, step)
    times = in_turns(steps, ROUNDS)
    shape = f'N = {BATCH}, C = {CHANNELS}, D = {DIM}, K = {NUM_CLASSES}'
    print(f'{describe("cpu")}, {shape}')
    print('| head and loss of | operations | time, softmax = 1 | memory, MiB | softmax = 1 |\n|---|---|---|---|---|')
    softmax = NAMES[0]
    for name in NAMES:
        against, share = ratio(times[name], times[softmax]), memory[name] / memory[softmax]
        print(f'| {name} | {operations(steps[name])} | {against} | {memory[name]:.1f} | {share:.1f} |')


if __name__ == '__main__':
    main()
