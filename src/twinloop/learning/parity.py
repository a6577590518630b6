"""Whether an exported graph still says what the torch module said, on real images, and which graph is deployed.

FP32 must agree in every raw output at every batch size. A graph of fewer bits cannot; what it may change is limited
in the terms that count: how well its scores separate, their order, and the decisions that would differ.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import RunError
from twinloop.learning.inference import Floats, run_batches
from twinloop.learning.settings import ExportSettings


def max_difference(reference: Sequence[NDArray[np.float32]], candidate: Sequence[NDArray[np.float32]]) -> float:
    """Largest difference over all raw outputs: absolute, relative where the reference is beyond ±1.

    Infinite where shapes differ or a value is not finite.
    """
    if [output.shape for output in reference] != [output.shape for output in candidate]:
        return float("inf")
    largest = max(
        float(np.max(np.abs(a - b) / np.maximum(np.abs(a), 1))) for a, b in zip(reference, candidate, strict=True)
    )
    return largest if np.isfinite(largest) else float("inf")


def batch_differences(
    graph: Callable[[Floats], list[Floats]], inputs: Floats, reference: Sequence[Floats], *, sizes: Sequence[int]
) -> dict[int, float]:
    """Batch size → largest difference to `reference`, on its first 2 · size + 1 inputs: two full batches and a rest."""
    found = {}
    for size in sizes:
        some = inputs[: 2 * size + 1]
        found[size] = max_difference(
            [output[: len(some)] for output in reference], run_batches(graph, some, batch=size)
        )
    return found


def require_equal(difference: float, *, tolerance: float, name: str) -> None:
    """The gate of a graph that must reproduce torch. Raises RunError beyond `tolerance`."""
    if not difference <= tolerance:
        raise RunError(
            f"export: {name}: raw outputs differ from torch by up to {difference:.3g}, allowed are {tolerance:g}: "
            "train again, or raise the tolerance in factory.export if the difference is understood"
        )


def auroc(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve (Mann–Whitney, ties count half); NaN when a class is missing.

    >>> auroc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    from scipy.stats import rankdata

    positives = int(positive.sum())
    negatives = len(positive) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> float:
    """Precision averaged over all recalls; NaN when a class is missing."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(positive, scores)) if 0 < positive.sum() < len(positive) else float("nan")


def best_threshold(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> float:
    """The threshold with the largest sensitivity + specificity, midway between neighbouring scores."""
    values = np.unique(scores)
    if len(values) == 1:
        return float(values[0])
    middles = (values[1:] + values[:-1]) / 2
    sensitivity = np.array([np.mean(scores[positive] >= t) for t in middles]) if positive.any() else 0.0
    specificity = np.array([np.mean(scores[~positive] < t) for t in middles]) if not positive.all() else 0.0
    return float(middles[int(np.argmax(sensitivity + specificity))])


@dataclass(frozen=True)
class ScoreParity:
    """What a graph of fewer bits changes: AUROC lost, rank correlation of scores, share of decisions that differ."""

    auroc_drop: float
    rank_correlation: float
    changed_decisions: float

    def breaches(self, limits: ExportSettings) -> list[str]:
        """The limits that are broken, one phrase each; empty when the graph may be deployed."""
        checks = {
            f"AUROC falls by {self.auroc_drop:.4f} (allowed {limits.auroc_drop:g})": (
                # NaN: the images hold one class only, so nothing can fall
                np.isnan(self.auroc_drop) or self.auroc_drop <= limits.auroc_drop
            ),
            f"rank correlation is {self.rank_correlation:.4f} (at least {limits.rank_correlation:g})": (
                self.rank_correlation >= limits.rank_correlation
            ),
            f"{self.changed_decisions:.1%} of decisions change (allowed {limits.changed_decisions:.1%})": (
                self.changed_decisions <= limits.changed_decisions
            ),
        }
        return [phrase for phrase, holds in checks.items() if not holds]


# What is left of scores that are no numbers.
LOST = ScoreParity(auroc_drop=1.0, rank_correlation=-1.0, changed_decisions=1.0)


def score_parity(
    reference: NDArray[np.floating], candidate: NDArray[np.floating], *, positive: NDArray[np.bool_]
) -> ScoreParity:
    """Compare the scores [N] of two graphs on the same images; `positive` [N] marks the truly defective."""
    from scipy.stats import rankdata

    if not np.isfinite(candidate).all():
        return LOST
    threshold = best_threshold(reference, positive)
    ranks, other = rankdata(reference), rankdata(candidate)
    constant = np.ptp(ranks) == 0 or np.ptp(other) == 0
    return ScoreParity(
        auroc_drop=auroc(reference, positive) - auroc(candidate, positive),
        rank_correlation=float(np.array_equal(ranks, other)) if constant else float(np.corrcoef(ranks, other)[0, 1]),
        changed_decisions=float(np.mean((reference >= threshold) != (candidate >= threshold))),
    )


def require_deployable(breaches: Mapping[str, Sequence[str]], wanted: str) -> None:
    """The gate of a format that was asked for by name. Raises RunError when it breaks a limit."""
    if broken := breaches.get(wanted):
        raise RunError(
            f"export: {wanted.upper()}: {', '.join(broken)}: set factory.export.format=fp32 or widen the limits"
        )


def choose_format(breaches: Mapping[str, Sequence[str]], speedups: Mapping[str, float], limits: ExportSettings) -> str:
    """The format to deploy: the one named, or for auto the fastest that breaks nothing and gains enough over FP32.

    breaches: of every format of fewer bits; speedups: median latency of FP32 over the format's own.
    """
    if limits.format != "auto":
        return limits.format
    gaining = [name for name, broken in breaches.items() if not broken and speedups[name] >= limits.least_speedup]
    return max(gaining, key=lambda name: speedups[name], default="fp32")
