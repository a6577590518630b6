"""What every predictor must beat: never an alarm, age alone, the one sensor that says most."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.prognostics.models.periods import failure_by
from twinloop.prognostics.models.table import AGES, FeatureTable
from twinloop.prognostics.models.weibull import Weibull

Floats = NDArray[np.float64]


def never(rows: int) -> Floats:
    """[N] 0: nothing is ever said."""
    return np.zeros(rows)


def by_age(law: Weibull, age_h: Floats, *, days: int, period_h: float) -> Floats:
    """[N] probability of failure within the horizon by the age of the component alone."""
    until: Floats = failure_by(law.hazard(age_h, days=days, period_h=period_h))[:, -1]
    return until


class SingleSensor(NamedTuple):
    """A feature and its sign: the score is sign · value, 0 where it is missing."""

    column: str
    sign: float

    def score(self, table: FeatureTable) -> Floats:
        """[N] of all rows; no probability, only an order."""
        values = self.sign * table.selected((self.column,))[:, 0].astype(np.float64)
        return np.nan_to_num(values)


def fit_single_sensor(table: FeatureTable, rows: NDArray[np.int64], happened: NDArray[np.bool_]) -> SingleSensor:
    """The sensor's feature that parts rows [K] before a failure best from the others (area under the ROC curve).

    Raises InputError where nothing happened, or always.
    """
    if happened.all() or not happened.any():
        raise InputError("baseline: expected rows before a failure and others, got one kind only")
    best, column, sign = 0.0, "", 1.0
    for name in table.varying:
        if "." not in name or name in AGES:
            continue
        values = np.nan_to_num(table.selected((name,))[rows, 0].astype(np.float64))
        area = _area(values, happened) - 0.5
        if abs(area) > abs(best):
            best, column, sign = area, name, 1.0 if area > 0 else -1.0
    return SingleSensor(column, sign)


def _area(values: Floats, happened: NDArray[np.bool_]) -> float:
    """Share of pairs in which the row before a failure has the larger value, ties by half (Mann and Whitney, 1947)."""
    from scipy.stats import rankdata

    ranks, positive = rankdata(values), int(happened.sum())
    return float((ranks[happened].sum() - positive * (positive + 1) / 2) / (positive * (len(values) - positive)))
