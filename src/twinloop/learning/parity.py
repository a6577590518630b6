"""Whether an exported graph still says what the torch module said, on real samples, and which graph is deployed.

FP32 must agree in every raw output at every batch size. A graph of fewer bits cannot; what it may change is known to
whoever uses the model, who names the limits that it breaks.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import RunError
from twinloop.learning.inference import run_batches
from twinloop.learning.settings import ExportSettings
from twinloop.learning.signature import Arrays, Outputs, cut
from twinloop.numbers import coarse


def max_difference(reference: Sequence[NDArray[Any]], candidate: Sequence[NDArray[Any]]) -> float:
    """Largest difference over all raw outputs: absolute, relative where the reference is beyond ±1.

    Infinite where shapes differ or a value is not finite.
    """
    if [output.shape for output in reference] != [output.shape for output in candidate]:
        return float("inf")
    largest = max(
        float(np.max(np.abs(a - b) / np.maximum(np.abs(a), 1)))
        for a, b in zip(map(_signed, reference), map(_signed, candidate), strict=True)
    )
    return largest if np.isfinite(largest) else float("inf")


def batch_differences(
    graph: Callable[[Arrays], Outputs], inputs: Arrays, reference: Outputs, *, sizes: Sequence[int]
) -> dict[int, float]:
    """Batch size → largest difference to `reference`, on 2 · size + 1 samples: two full batches and a rest."""
    differences = {}
    for size in sizes:
        count = 2 * size + 1
        outputs = run_batches(graph, cut(inputs, 0, count), batch=size)
        differences[size] = max_difference([output[:count] for output in reference], outputs)
    return differences


def require_equal(difference: float, *, tolerance: float, name: str) -> None:
    """The gate of a graph that must reproduce torch. Raises RunError beyond `tolerance`."""
    if not difference <= tolerance:
        raise RunError(
            f"export: {name}: raw outputs differ from torch by up to {difference:.3g}, allowed are {tolerance:g}: "
            "train again, or raise ExportSettings.fp32_tolerance if the difference is understood"
        )


def require_deployable(breaches: Mapping[str, Sequence[str]], wanted: str) -> None:
    """The gate of a format that was asked for by name. Raises RunError when it breaks a limit."""
    if broken := breaches.get(wanted):
        raise RunError(
            f"export: {wanted.upper()}: {', '.join(broken)}: set ExportSettings.format=fp32 or widen the limits"
        )


def lost(
    reference: Mapping[str, float], candidate: Mapping[str, float], *, most: Mapping[str, float]
) -> tuple[str, ...]:
    """The limits that a candidate breaks, one phrase each; of every figure more is better.

    most: figure → how much less it may be than the reference's. Compared as `numbers.coarse` gives them.

    >>> lost({"ndcg": 0.94}, {"ndcg": 0.92}, most={"ndcg": 0.01})
    ('ndcg 0.940 → 0.920, at most 0.01 less',)
    """
    return tuple(
        f"{name} {reference[name]:.3f} → {candidate[name]:.3f}, at most {limit:g} less"
        for name, limit in most.items()
        if coarse(reference[name] - candidate[name]) > coarse(limit)
    )


def choose_format(breaches: Mapping[str, Sequence[str]], speedups: Mapping[str, float], limits: ExportSettings) -> str:
    """The format to deploy: the one named, or for auto the fastest that breaks nothing and gains enough over FP32.

    breaches: of every format of fewer bits; speedups: median latency of FP32 over the format's own.
    """
    if limits.format != "auto":
        return limits.format
    gaining = [name for name, broken in breaches.items() if not broken and speedups[name] >= limits.least_speedup]
    return max(gaining, key=lambda name: speedups[name], default="fp32")


def _signed(values: NDArray[Any]) -> NDArray[Any]:
    # Whole numbers and truth values have no difference below zero.
    return values if values.dtype.kind == "f" else values.astype(np.float64)
