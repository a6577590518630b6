"""How long one inference takes: its distribution on this machine, one image at a time.

Measured time differs from run to run, so it stands in latency.json alone. What must be reproducible uses the median
rounded upward to 10, 30, 100, 300 … ms: steps so coarse that a busy machine changes nothing. What is compared is
timed in turn, call by call, so that a change of load meets all alike.
"""

import itertools
import math
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError

LEAST_STEP_MS = 10.0


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one call: mean and percentiles over `runs` calls after `warmup` unmeasured ones.

    least_ms: of the least disturbed call, which ranks models best where other work runs beside.
    """

    mean_ms: float
    least_ms: float
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
    """The least of 10, 30, 100, 300 … ms that is not below `latency_ms`; InputError unless positive and finite.

    What waits for a model (a line with a takt of seconds, a person) does not notice less than the least step.

    >>> quantised_ms(0.2), quantised_ms(0.5), quantised_ms(20)
    (10.0, 10.0, 30.0)
    """
    if not (math.isfinite(latency_ms) and latency_ms > 0):
        raise InputError(f"latency: expected a positive number of milliseconds, got {latency_ms}")
    decades = (LEAST_STEP_MS * 10.0**place for place in itertools.count())
    return next(step for decade in decades for step in (decade, 3 * decade) if latency_ms <= step)


def measure(call: Callable[[], object], *, runs: int, warmup: int, threads: int) -> Latency:
    """Time `call` `runs` times in a row; `threads` is recorded, the caller has set it."""
    return measure_in_turn({"": call}, runs=runs, warmup=warmup, threads=threads)[""]


def measure_in_turn(
    calls: Mapping[str, Callable[[], object]], *, runs: int, warmup: int, threads: int
) -> dict[str, Latency]:
    """Time each of `calls` `runs` times, one call of each per round, every round beginning with another one."""
    for _ in range(warmup):
        for call in calls.values():
            call()
    names = list(calls)
    elapsed = np.empty((len(names), runs))
    for turn in range(runs):
        for step in range(len(names)):
            place = (turn + step) % len(names)
            call = calls[names[place]]
            start = time.perf_counter_ns()
            call()
            elapsed[place, turn] = (time.perf_counter_ns() - start) / 1e6
    return {name: _latency(row, warmup, threads) for name, row in zip(names, elapsed, strict=True)}


def speedups(times: Mapping[str, Latency], *, reference: str) -> dict[str, float]:
    """Name → median of `reference` over its own median: above 1 is faster."""
    return {name: round(times[reference].p50_ms / one.p50_ms, 3) for name, one in times.items()}


def hardware() -> dict[str, str | int]:
    """What the latencies were measured on: processor, its cores, ONNX Runtime's version."""
    import onnxruntime

    return {"cpu": _processor(), "cores": os.cpu_count() or 1, "onnxruntime": onnxruntime.__version__}


def _latency(elapsed_ms: NDArray[np.float64], warmup: int, threads: int) -> Latency:
    p50, p95, p99 = np.percentile(elapsed_ms, [50, 95, 99])
    return Latency(
        mean_ms=round(float(elapsed_ms.mean()), 4),
        least_ms=round(float(elapsed_ms.min()), 4),
        p50_ms=round(float(p50), 4),
        p95_ms=round(float(p95), 4),
        p99_ms=round(float(p99), 4),
        runs=len(elapsed_ms),
        warmup=warmup,
        threads=threads,
    )


def _processor() -> str:
    table = Path("/proc/cpuinfo")  # where Linux names it; platform.processor() is empty there
    lines = table.read_text(encoding="utf-8").splitlines() if table.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def latency_metrics(times: Mapping[str, Any], deployed: str) -> dict[str, Any]:
    """Every exported format's times and its speed against the first, so that runs and machines compare.

    times: format → milliseconds and speed-up; `hardware` → what measured them. The deployed one's p95 stands plainly.
    """
    measured = {
        f"{name}.{key}": values[key]
        for name, values in times.items()
        for key in ("p50_ms", "p95_ms", "speedup")
        if key in values
    }
    hardware = {key: value for key, value in times.get("hardware", {}).items() if isinstance(value, str)}
    return measured | hardware | {"p95_ms": times[deployed]["p95_ms"]}
