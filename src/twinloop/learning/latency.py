"""How long one inference takes: its distribution on this machine, one image at a time.

Measured time differs from run to run, so it stands in latency.json alone. What must be reproducible uses the median
rounded upward on a 1-2-5 grid of milliseconds: a coarse step that small changes of load do not cross.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from twinloop.errors import InputError

MANTISSAS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one call: mean and percentiles over `runs` calls after `warmup` unmeasured ones."""

    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    runs: int
    warmup: int
    threads: int

    def record(self) -> dict[str, float | int]:
        """Plain values for latency.json, with `quantised_ms` of the median."""
        return {**asdict(self), "quantised_ms": quantised_ms(self.p50_ms)}


def quantised_ms(latency_ms: float) -> float:
    """The least of … 0.5, 1, 2, 5, 10, 20 … ms that is not below `latency_ms`; InputError unless positive and finite.

    >>> quantised_ms(2.3), quantised_ms(0.41), quantised_ms(20)
    (5.0, 0.5, 20.0)
    """
    if not (math.isfinite(latency_ms) and latency_ms > 0):
        raise InputError(f"latency: expected a positive number of milliseconds, got {latency_ms}")
    exponent = math.floor(math.log10(latency_ms))
    steps = [float(f"{mantissa}e{exponent}") for mantissa in MANTISSAS]
    return next(step for step in (*steps, float(f"1e{exponent + 2}")) if latency_ms <= step)


def measure(call: Callable[[], object], *, runs: int, warmup: int, threads: int) -> Latency:
    """Time `call` `runs` times in a row; `threads` is recorded, the caller has set it."""
    for _ in range(warmup):
        call()
    elapsed = np.empty(runs)
    for index in range(runs):
        start = time.perf_counter_ns()
        call()
        elapsed[index] = (time.perf_counter_ns() - start) / 1e6
    p50, p95, p99 = np.percentile(elapsed, [50, 95, 99])
    return Latency(
        mean_ms=round(float(elapsed.mean()), 4),
        p50_ms=round(float(p50), 4),
        p95_ms=round(float(p95), 4),
        p99_ms=round(float(p99), 4),
        runs=runs,
        warmup=warmup,
        threads=threads,
    )
