"""Compare the time of alternatives by running them alternately, so that all see the same machine load."""

import statistics
import time
from collections.abc import Callable

import torch
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ['describe', 'in_turns', 'operations', 'ratio']


def describe(device: str) -> str:
    """Return the versions and the device of a measurement."""
    import mmpod

    where = torch.cuda.get_device_name() if device == 'cuda' else f'CPU, {torch.get_num_threads()} thread(s)'
    return f'mmpod {mmpod.__version__}, torch {torch.__version__}, {where}'


def in_turns(
    functions: dict[str, Callable[[], object]], rounds: int, device: str = 'cpu', calls: int = 1
) -> dict[str, list[float]]:
    """Return the seconds per call of each function, by round, after two warm-up rounds.

    Each round times ``calls`` calls of each function in a row, until the device has finished them. With one thread on
    the CPU it is CPU time, which excludes other programs.
    """
    clock = time.process_time if device == 'cpu' and torch.get_num_threads() == 1 else time.perf_counter
    wait = torch.cuda.synchronize if device == 'cuda' else lambda: None
    times = {name: [] for name in functions}
    for index in range(rounds + 2):
        for name, function in functions.items():
            wait()
            start = clock()
            for _ in range(calls):
                function()
            wait()
            if index >= 2:
                times[name].append((clock() - start) / calls)
    return times


def ratio(numerator: list[float], denominator: list[float]) -> str:
    """Return the median and quartiles of the ratios of neighbouring measurements."""
    low, median, high = statistics.quantiles([a / b for a, b in zip(numerator, denominator)], n=4)
    return f'{median:.3f} ({low:.3f} to {high:.3f})'


class Operations(TorchDispatchMode):
    """Counts the operations that PyTorch dispatches."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Count and execute one operation."""
        self.count += 1
        return function(*args, **(kwargs or {}))


def operations(function: Callable[[], object]) -> int:
    """Return the number of operations that a call dispatches."""
    with Operations() as counted:
        function()
    return counted.count
