"""Timing two ways of doing one thing against each other, in turns, so that both see the same machine."""

import statistics
import time
from collections.abc import Callable

__all__ = ['compare']


def compare(
    ours: Callable[[], object], peer: Callable[[], object], rounds: int = 15, calls: int = 1
) -> tuple[float, float, float]:
    """Return the median seconds of a call of ``ours`` and of ``peer`` and the median of their ratio, peer over ours.

    Each round times ``calls`` calls in a row of one, then of the other, each row after an untimed call.
    """
    times = {ours: [], peer: []}
    for _ in range(rounds):
        for function, record in times.items():
            function()
            start = time.perf_counter()
            for _ in range(calls):
                function()
            record.append((time.perf_counter() - start) / calls)
    ratios = [b / a for a, b in zip(times[ours], times[peer])]
    return statistics.median(times[ours]), statistics.median(times[peer]), statistics.median(ratios)
