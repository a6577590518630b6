"""Conformal prediction intervals calibrated by unit: of new units, at least the promised share lies inside.

Rows of one unit are no independent evidence, so each unit weighs the same, however many rows it has (pooled conformal
prediction for grouped data; Dunn, Wasserman and Ramdas, 2023). Residuals are scaled by what the promised share of them
stays below for a like prediction, so that an interval is narrow where failure is near and wide where it is far.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError

Floats = NDArray[np.float64]
BINS = 8


@dataclass(frozen=True, eq=False)
class Conformal:
    """Intervals prediction ± factor · scale(prediction); knots, scale: [B] of a piecewise linear scale."""

    factor: float
    knots: Floats
    scale: Floats
    coverage: float

    def interval(self, predicted: Floats, *, least: float = -np.inf, most: float = np.inf) -> tuple[Floats, Floats]:
        """Low and high [N] of predictions [N], cut to what can be."""
        half = self.factor * np.interp(predicted, self.knots, self.scale)
        return np.clip(predicted - half, least, most), np.clip(predicted + half, least, most)


def calibrate(actual: Floats, predicted: Floats, unit: NDArray[np.int64], *, coverage: float = 0.9) -> Conformal:
    """From predictions of rows by models that never saw their units.

    Raises InputError for fewer units than the coverage needs: 9 for 90 %.
    """
    units, counts = np.unique(unit, return_counts=True)
    needed = int(np.ceil(coverage / (1 - coverage) - 1e-9))
    if len(units) < needed:
        raise InputError(
            f"conformal: expected at least {needed} units for a coverage of {coverage:g}, got {len(units)}: lower it"
        )
    residual = np.abs(actual - predicted)
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, BINS + 1)))
    place = np.clip(np.searchsorted(edges, predicted, side="right") - 1, 0, max(len(edges) - 2, 0))
    used = np.unique(place)
    knots = np.array([predicted[place == b].mean() for b in used])
    scale = np.array([np.quantile(residual[place == b], coverage) for b in used])
    scale = np.maximum(scale, 1e-3 * max(float(scale.max()), 1e-12))
    score = residual / np.interp(predicted, knots, scale)
    weight = 1 / counts[np.searchsorted(units, unit)]
    order = np.argsort(score)
    # The new unit counts as one more, whose score may be anything: n + 1 units in all.
    reached = np.cumsum(weight[order]) / (len(units) + 1)
    factor = float(score[order][min(int(np.searchsorted(reached, coverage - 1e-12)), len(order) - 1)])
    return Conformal(factor, knots, scale, coverage)
