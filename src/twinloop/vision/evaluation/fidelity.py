"""What a graph of fewer bits changes in the terms that count on a line: skill, the scores' order, decisions."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twinloop.learning.deployment import Quality
from twinloop.learning.signature import Outputs
from twinloop.vision.evaluation.settings import DetectorExportSettings
from twinloop.vision.ranking import auroc, average_precision, best_threshold, rank_correlation
from twinloop.vision.scores import anomaly_score


@dataclass(frozen=True)
class ScoreParity:
    """What a graph changes: AUROC lost, rank correlation of scores, share of decisions that differ.

    changed_unlike: share of images that are unlike anything learnt for one of the two graphs alone.
    """

    auroc_drop: float
    rank_correlation: float
    changed_decisions: float
    changed_unlike: float = 0.0

    def breaches(self, limits: DetectorExportSettings) -> tuple[str, ...]:
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
            f"{self.changed_unlike:.1%} change sides of the unlike limit (allowed {limits.changed_decisions:.1%})": (
                self.changed_unlike <= limits.changed_decisions
            ),
        }
        return tuple(phrase for phrase, holds in checks.items() if not holds)


# What is left of scores that are no numbers.
LOST = ScoreParity(auroc_drop=1.0, rank_correlation=-1.0, changed_decisions=1.0, changed_unlike=1.0)


def score_parity(
    reference: NDArray[np.floating], candidate: NDArray[np.floating], *, positive: NDArray[np.bool_]
) -> ScoreParity:
    """Compare the scores [N] of two graphs on the same images; `positive` [N] marks the truly defective."""
    if not np.isfinite(candidate).all():
        return LOST
    threshold = best_threshold(reference, positive)
    return ScoreParity(
        auroc_drop=auroc(reference, positive) - auroc(candidate, positive),
        rank_correlation=rank_correlation(reference, candidate),
        changed_decisions=float(np.mean((reference >= threshold) != (candidate >= threshold))),
    )


@dataclass(frozen=True, eq=False)
class ScoreGate:
    """The gate of a detector's graphs: skill on the images, what they change, and which of `limits` they break.

    defective: [N], the truth of the images on which graphs are compared. Outputs are the detector's: logits first,
    unlike scores last, with their limit `unlike`.
    """

    defective: NDArray[np.bool_]
    limits: DetectorExportSettings
    unlike: float

    def __call__(self, reference: Outputs, candidate: Outputs) -> Quality:
        if not all(np.isfinite(output).all() for output in candidate):
            lost = {"auroc": float("nan"), "ap": float("nan")}
            return Quality(lost, vars(LOST), LOST.breaches(self.limits))
        scores = anomaly_score(candidate[0])
        parity = replace(
            score_parity(anomaly_score(reference[0]), scores, positive=self.defective),
            changed_unlike=float(np.mean((reference[-1] > self.unlike) != (candidate[-1] > self.unlike))),
        )
        skill = {
            "auroc": auroc(scores, self.defective),
            "ap": average_precision(scores, self.defective),
        }
        return Quality(skill, vars(parity), parity.breaches(self.limits))
