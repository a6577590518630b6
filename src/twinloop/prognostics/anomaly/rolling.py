"""A rolling threshold: how far a value lies from the mean of those just before it, in their standard deviations.

The plain method that others are held against; it raises an alarm at every row beyond its threshold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinloop.prognostics.anomaly.detector import Said, rows_of
from twinloop.prognostics.anomaly.jit import machine_code
from twinloop.prognostics.anomaly.settings import RollingSettings

Floats = NDArray[np.float64]
# Said of a value that differs where none did before, and of anything farther off.
FARTHEST = 1000.0


@dataclass(frozen=True)
class RollingThreshold:
    """A detector; see `RollingSettings`."""

    columns: tuple[str, ...]
    settings: RollingSettings

    def stream(self) -> "RollingStream":
        """The state before an asset's first row."""
        return RollingStream(len(self.columns), self.settings)


class RollingStream:
    """The last rows of one asset."""

    def __init__(self, width: int, settings: RollingSettings) -> None:
        self._settings = settings
        self._before = np.full((settings.rows, width), np.nan)
        self._count = 0

    def push(self, values: Floats) -> Said:
        """What is said of the next rows, [n, F]."""
        rows, count = self._settings.rows, self._count
        known = np.concatenate([self._before, rows_of(values, self._before.shape[1])])
        score, column = _deviations(known, rows)
        self._before, self._count = known[len(known) - rows :].copy(), count + len(values)
        settled = np.arange(count, self._count) >= self._settings.settle
        score = np.where(settled, score, 0.0)
        return Said(score, score > self._settings.threshold, np.where(score > 0, column, -1))


@machine_code
def _deviations(known: Floats, rows: int) -> tuple[Floats, NDArray[np.int64]]:
    """Of the rows behind the first `rows`: the largest deviation, and in which column it is."""
    count = len(known) - rows
    score, column = np.zeros(count), np.full(count, -1, np.int64)
    for row in range(count):
        for place in range(known.shape[1]):
            now = known[row + rows, place]
            total, number = 0.0, 0
            # Differences to the value itself: where nothing moves they are exactly 0.
            for value in known[row : row + rows, place]:
                if not np.isnan(value - now):
                    total += value - now
                    number += 1
            if number < 2:
                continue
            mean, square = total / number, 0.0
            for value in known[row : row + rows, place]:
                if not np.isnan(value):
                    square += (value - now - mean) ** 2
            distance, spread = abs(mean), np.sqrt(square / (number - 1))
            deviation = min(distance / spread, FARTHEST) if spread > 0 else FARTHEST * (distance > 0)
            if deviation > score[row]:
                score[row], column[row] = deviation, place
    return score, column
