"""Remaining life judged: RMSE and NASA's score, which punishes late predictions more than early ones."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# Cycles per e-fold of an early and of a late prediction (Saxena et al., PHM 2008).
EARLY, LATE = 13.0, 10.0


class RulQuality(NamedTuple):
    """rmse, score: of predictions against labels. coverage: share of labels within their intervals."""

    rmse: float
    score: float
    coverage: float


def nasa_score(actual: Floats, predicted: Floats) -> float:
    """Σ exp(−d/13) − 1 for early (d < 0) and exp(d/10) − 1 for late predictions, d = predicted − actual (PHM 2008)."""
    d = predicted - actual
    return float(np.where(d < 0, np.exp(-d / EARLY), np.exp(d / LATE)).sum() - len(d))


def quality(actual: Floats, predicted: Floats, interval: tuple[Floats, Floats]) -> RulQuality:
    """All figures of predictions [N] with their interval, against labels [N]."""
    low, high = interval
    return RulQuality(
        rmse=float(np.sqrt(np.mean((predicted - actual) ** 2))),
        score=nasa_score(actual, predicted),
        coverage=float(((low <= actual) & (actual <= high)).mean()),
    )
