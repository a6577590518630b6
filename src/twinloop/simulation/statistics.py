"""Intervals from independent replications, single and paired, that keep the model's own uncertainty.

Replications average out the luck of a simulated week, but never what is not known about the inspection
model: more replications do not measure it better. So draws of the operating curve are used more than
once, the variance between draws is split off (one-way random effects, Searle, Casella and McCulloch,
1992, ch. 3), and it enters the interval in full while the rest is divided by the number of replications.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean with its two-sided confidence limits."""

    mean: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    @property
    def excludes_zero(self) -> bool:
        """Whether the sign of the mean is sure at the interval's confidence."""
        return self.low > 0 or self.high < 0


def interval(values: ArrayLike, *, confidence: float = 0.95, groups: Sequence[int] | None = None) -> Interval:
    """Student-t interval of the mean of replications [n]; `groups` tells which curve draw each one used.

    Raises ValueError for fewer than two replications: one value says nothing about its spread.
    """
    data = np.asarray(values, dtype=np.float64)
    if len(data) < 2:
        raise ValueError(f"expected at least 2 replications for an interval, got {len(data)}")
    between, within, draws = variance_components(data, groups)
    freedom = draws - 1 if between > 0 else len(data) - 1
    error = between * (1 + 1 / draws) + within / len(data)
    half = float(stdtrit(freedom, (1 + confidence) / 2)) * float(np.sqrt(error))
    mean = float(data.mean())
    return Interval(mean, mean - half, mean + half)


def paired(
    values: ArrayLike, baseline: ArrayLike, *, confidence: float = 0.95, groups: Sequence[int] | None = None
) -> Interval:
    """Interval of the mean difference `values` - `baseline`, replication by replication."""
    return interval(_same_length(values, baseline), confidence=confidence, groups=groups)


def paired_ratio(
    values: ArrayLike, baseline: ArrayLike, *, confidence: float = 0.95, groups: Sequence[int] | None = None
) -> Interval | None:
    """Interval of the relative difference of means, by linearisation; None when the baseline's mean is not positive."""
    difference = _same_length(values, baseline)
    base = np.asarray(baseline, dtype=np.float64)
    if base.mean() <= 0:
        return None
    ratio = difference.mean() / base.mean()
    return interval(ratio + (difference - ratio * base) / base.mean(), confidence=confidence, groups=groups)


def variance_components(values: Floats, groups: Sequence[int] | None) -> tuple[float, float, int]:
    """(variance between groups, variance within, number of groups).

    Without groups, or where nothing shows between them: (0, variance, number of values).
    """
    total = float(values.var(ddof=1))
    if groups is None:
        return 0.0, total, len(values)
    _, index = np.unique(np.asarray(groups), return_inverse=True)
    sizes = np.bincount(index)
    count, spare = len(sizes), len(values) - len(sizes)
    if count < 2 or spare < 1:
        return 0.0, total, len(values)
    means = np.bincount(index, values) / sizes
    within = float(((values - means[index]) ** 2).sum()) / spare
    among = float((sizes * (means - values.mean()) ** 2).sum()) / (count - 1)
    size = (len(values) - float((sizes**2).sum()) / len(values)) / (count - 1)
    between = max(0.0, (among - within) / size)
    return (between, within, count) if between > 0 else (0.0, total, len(values))


def _same_length(values: ArrayLike, baseline: ArrayLike) -> Floats:
    first, second = np.asarray(values, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    if first.shape != second.shape:
        raise ValueError(f"expected as many replications on both sides, got {len(first)} and {len(second)}")
    return first - second
