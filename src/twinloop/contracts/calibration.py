"""Scores become probabilities, and probabilities become true of the line.

Platt scaling (Platt 1999, with his smoothed targets), temperature scaling (Guo et al. 2017) or isotonic regression
is fitted on scores whose truth is known; then the odds are moved from their share of defects to the line's defect
rate (Saerens et al. 2002), because a test set holds far more defects than a line.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from twinloop.errors import InputError

Floats = NDArray[np.float64]
Method = Literal["platt", "temperature", "isotonic"]
# A score that does not rise with defects says nothing; it keeps this slope, so that its order survives.
LEAST_SLOPE = 1e-3


@dataclass(frozen=True)
class Calibration:
    """A rising map from anomaly scores to defect probabilities at one share of defects.

    slope, intercept: of the log odds; isotonic: `knots` and `levels` instead, linear between them, in log odds.
    share: of defects among the images it was fitted on. shift: added to the log odds for another share.
    """

    method: Method
    share: float
    slope: float = 1.0
    intercept: float = 0.0
    knots: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()
    shift: float = 0.0

    def probability(self, scores: NDArray[np.floating]) -> Floats:
        """Defect probability of each score."""
        values = np.asarray(scores, dtype=np.float64)
        odds = np.interp(values, self.knots, self.levels) if self.knots else self.slope * values + self.intercept
        result: Floats = expit(odds + self.shift)
        return result

    def score(self, probability: float) -> float:
        """The score that has this defect probability; of isotonic levels the nearest that is reached."""
        odds = float(logit(probability)) - self.shift
        if self.knots:
            return float(np.interp(odds, self.levels, self.knots))
        return (odds - self.intercept) / self.slope

    def at_defect_rate(self, rate: float) -> "Calibration":
        """The same calibration where a share `rate` of the parts is defective."""
        return Calibration(**{**asdict(self), "shift": float(logit(rate) - logit(self.share))})

    def record(self) -> dict[str, Any]:
        """Plain values for JSON; `from_record` reads them."""
        return {**asdict(self), "knots": list(self.knots), "levels": list(self.levels)}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Calibration":
        return cls(**{**record, "knots": tuple(record["knots"]), "levels": tuple(record["levels"])})


def fit_calibration(scores: NDArray[np.floating], defective: NDArray[np.bool_], *, method: Method) -> Calibration:
    """Fit on scores [N] of images whose truth is known. Raises InputError unless both kinds are present."""
    positives, total = int(defective.sum()), len(defective)
    if positives in (0, total):
        raise InputError(
            f"calibration: expected scores of good and defective images, found {total - positives} good and "
            f"{positives} defective: add {'defective' if positives == 0 else 'good'} ones"
        )
    values = np.asarray(scores, dtype=np.float64)
    if not np.isfinite(values).all():
        raise InputError("calibration: expected finite scores; the detector gives NaN or infinity")
    return METHODS[method](values, defective, positives / total)


def expected_calibration_error(probabilities: Floats, outcomes: NDArray[np.bool_], *, bins: int = 10) -> float:
    """ECE: |mean probability − share of defects|, averaged over equally wide bins by their counts."""
    return float(
        sum(
            row["count"] * abs(row["probability"] - row["observed"])
            for row in reliability(probabilities, outcomes, bins=bins)
        )
        / len(outcomes)
    )


def brier(probabilities: Floats, outcomes: NDArray[np.bool_]) -> float:
    """Mean squared difference between probability and outcome."""
    return float(np.mean((probabilities - outcomes) ** 2))


def reliability(probabilities: Floats, outcomes: NDArray[np.bool_], *, bins: int = 10) -> list[dict[str, float]]:
    """Non-empty bins of equal width: low, high, count, mean probability, observed share of defects."""
    index = np.minimum((np.asarray(probabilities) * bins).astype(int), bins - 1)
    rows = []
    for number in np.unique(index):
        inside = index == number
        rows.append(
            {
                "low": number / bins,
                "high": (number + 1) / bins,
                "count": int(inside.sum()),
                "probability": float(np.mean(probabilities[inside])),
                "observed": float(np.mean(outcomes[inside])),
            }
        )
    return rows


def _platt(scores: Floats, defective: NDArray[np.bool_], share: float) -> Calibration:
    slope, intercept = _logistic(scores, _smoothed(defective), with_intercept=True)
    return Calibration(method="platt", share=share, slope=slope, intercept=intercept)


def _temperature(scores: Floats, defective: NDArray[np.bool_], share: float) -> Calibration:
    slope, intercept = _logistic(scores, _smoothed(defective), with_intercept=False)
    return Calibration(method="temperature", share=share, slope=slope, intercept=intercept)


def _smoothed(defective: NDArray[np.bool_]) -> Floats:
    """Platt's targets: (n + 1) / (n + 2) instead of 0 and 1 keep the slope finite where classes separate perfectly."""
    positives = defective.sum()
    negatives = len(defective) - positives
    targets: Floats = np.where(defective, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    return targets


def _logistic(scores: Floats, target: Floats, *, with_intercept: bool) -> tuple[float, float]:
    slope, intercept = _least_cross_entropy(scores, target, with_intercept=with_intercept, slope=None)
    if slope < LEAST_SLOPE:
        return _least_cross_entropy(scores, target, with_intercept=with_intercept, slope=LEAST_SLOPE)
    return slope, intercept


def _least_cross_entropy(
    scores: Floats, target: Floats, *, with_intercept: bool, slope: float | None
) -> tuple[float, float]:
    """Slope and intercept of the log odds; a slope that is given stays, and so does an intercept of 0 without one."""
    from scipy.optimize import minimize

    spread = float(scores.std()) or 1.0
    design = np.column_stack([scores / spread, np.ones_like(scores)])
    free = np.array([slope is None, with_intercept])
    weights = np.array([0.0 if slope is None else slope * spread, 0.0])
    if free.any():
        varied, fixed = design[:, free], design @ weights

        def loss(values: Floats) -> float:
            odds = fixed + varied @ values
            return float(np.mean(np.logaddexp(0, odds) - target * odds))

        def gradient(values: Floats) -> Floats:
            slopes: Floats = varied.T @ (expit(fixed + varied @ values) - target) / len(target)
            return slopes

        def curvature(values: Floats) -> Floats:
            fitted = expit(fixed + varied @ values)
            bent: Floats = (varied.T * (fitted * (1 - fitted))) @ varied / len(target)
            return bent

        start = np.zeros(int(free.sum()))
        best = minimize(loss, start, jac=gradient, hess=curvature, method="trust-exact", options={"gtol": 1e-10})
        weights[free] = best.x
    return float(weights[0] / spread), float(weights[1])


def _isotonic(scores: Floats, defective: NDArray[np.bool_], share: float) -> Calibration:
    from scipy.optimize import isotonic_regression

    order = np.argsort(scores, kind="stable")
    values, start, counts = np.unique(scores[order], return_index=True, return_counts=True)
    shares = np.add.reduceat(defective[order].astype(np.float64), start) / counts
    fitted = isotonic_regression(shares, weights=counts.astype(np.float64)).x
    edge = 1 / (len(scores) + 2)
    levels = logit(np.clip(fitted, edge, 1 - edge))
    return Calibration(method="isotonic", share=share, knots=tuple(values.tolist()), levels=tuple(levels.tolist()))


# A method of calibration is a function from scores, truth and share of defects, and its name here.
METHODS: dict[Method, Callable[[Floats, NDArray[np.bool_], float], Calibration]] = {
    "platt": _platt,
    "temperature": _temperature,
    "isotonic": _isotonic,
}
