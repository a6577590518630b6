"""Whether an exported graph still says what the torch module said, on real images.

FP32 must agree in every raw output. A quantised graph cannot; what it may change is limited in the terms that count:
how well its scores separate, their order, and the decisions that would differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import RunError
from twinloop.learning.settings import ExportSettings

Floats = NDArray[np.float64]


def max_difference(reference: Sequence[NDArray[np.float32]], candidate: Sequence[NDArray[np.float32]]) -> float:
    """Largest absolute difference over all raw outputs; infinite where shapes differ or a value is not finite."""
    if [output.shape for output in reference] != [output.shape for output in candidate]:
        return float("inf")
    largest = max(float(np.max(np.abs(a - b))) for a, b in zip(reference, candidate, strict=True))
    return largest if np.isfinite(largest) else float("inf")


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
    """What a quantised graph changes: AUROC lost, rank correlation of the scores, share of decisions that differ."""

    auroc_drop: float
    rank_correlation: float
    changed_decisions: float

    def breaches(self, limits: ExportSettings) -> list[str]:
        """The limits that are broken, one phrase each; empty when the graph may be deployed."""
        checks = {
            f"AUROC falls by {self.auroc_drop:.4f} (allowed {limits.int8_auroc_drop:g})": (
                # NaN: the images hold one class only, so nothing can fall
                np.isnan(self.auroc_drop) or self.auroc_drop <= limits.int8_auroc_drop
            ),
            f"rank correlation is {self.rank_correlation:.4f} (at least {limits.int8_rank_correlation:g})": (
                self.rank_correlation >= limits.int8_rank_correlation
            ),
            f"{self.changed_decisions:.1%} of decisions change (allowed {limits.int8_changed_decisions:.1%})": (
                self.changed_decisions <= limits.int8_changed_decisions
            ),
        }
        return [phrase for phrase, holds in checks.items() if not holds]


def choose_format(quantised: ScoreParity, limits: ExportSettings) -> tuple[str, str]:
    """("fp32" or "int8", what is said about INT8): what is deployed under `limits.format`.

    Raises RunError when INT8 is asked for and breaks a limit.
    """
    breaches = quantised.breaches(limits)
    if limits.format == "int8" and breaches:
        raise RunError(f"export: INT8: {', '.join(breaches)}: set factory.export.format=fp32 or widen the limits")
    verdict = f"not deployable: {', '.join(breaches)}" if breaches else "within limits"
    automatic = "fp32" if breaches else "int8"
    return (automatic if limits.format == "auto" else limits.format), verdict


def score_parity(
    reference: NDArray[np.floating], candidate: NDArray[np.floating], *, positive: NDArray[np.bool_]
) -> ScoreParity:
    """Compare the scores [N] of two graphs on the same images; `positive` [N] marks the truly defective."""
    from scipy.stats import rankdata

    if not np.isfinite(candidate).all():
        return ScoreParity(auroc_drop=1.0, rank_correlation=-1.0, changed_decisions=1.0)
    threshold = best_threshold(reference, positive)
    ranks, other = rankdata(reference), rankdata(candidate)
    constant = np.ptp(ranks) == 0 or np.ptp(other) == 0
    return ScoreParity(
        auroc_drop=auroc(reference, positive) - auroc(candidate, positive),
        rank_correlation=float(np.array_equal(ranks, other)) if constant else float(np.corrcoef(ranks, other)[0, 1]),
        changed_decisions=float(np.mean((reference >= threshold) != (candidate >= threshold))),
    )
