"""Intervals from independent replications, single and paired, that keep the model's own uncertainty.

Replications average out the luck of a simulated week, but never what is not known about a measured model (the error
rates of an inspection): more replications do not measure it better. So every replication is run twice with the same
random numbers, once with a bootstrap draw of the model and once with its estimate. The variance of that
difference is the model's and enters the interval in full; the rest is divided by the number of replications
(nested simulation with common random numbers; Barton, Nelson and Xie, 2014).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtr, stdtrit

from twinloop.numbers import Interval

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sample:
    """One figure over replications: values [n] with draws of the model, estimate [n] with its estimate (if drawn)."""

    values: Floats
    estimate: Floats | None = None

    @classmethod
    def of(cls, values: "Values") -> "Sample":
        """A sample as it is, or plain values [n] without a model's uncertainty."""
        return values if isinstance(values, Sample) else cls(np.asarray(values, dtype=np.float64))

    def __sub__(self, other: "Sample | float") -> "Sample":
        """Replication by replication. Raises ValueError for another number of replications."""
        if not isinstance(other, Sample):
            return Sample(self.values - other, None if self.estimate is None else self.estimate - other)
        if self.values.shape != other.values.shape:
            raise ValueError(
                f"expected as many replications on both sides, got {len(self.values)} and {len(other.values)}"
            )
        # A side without draws is the same whichever model is drawn.
        mine = self.values if self.estimate is None else self.estimate
        theirs = other.values if other.estimate is None else other.estimate
        drawn = self.estimate is not None or other.estimate is not None
        return Sample(self.values - other.values, mine - theirs if drawn else None)

    def __mul__(self, factor: float) -> "Sample":
        return Sample(self.values * factor, None if self.estimate is None else self.estimate * factor)


Values = Sample | ArrayLike


def standard_error(values: Values) -> float:
    """Of the mean of replications, the model's uncertainty included.

    Raises ValueError for fewer than two replications: one value says nothing about its spread.
    """
    sample = Sample.of(values)
    count = len(sample.values)
    if count < 2:
        raise ValueError(f"expected at least 2 replications for an interval, got {count}")
    if sample.estimate is None:
        return math.sqrt(float(sample.values.var(ddof=1)) / count)
    model = float((sample.values - sample.estimate).var(ddof=1))
    return math.sqrt(model * (1 + 1 / count) + float(sample.estimate.var(ddof=1)) / count)


def interval(values: Values, *, confidence: float = 0.95) -> Interval:
    """Student-t interval of the mean of replications. Raises ValueError for fewer than two."""
    sample = Sample.of(values)
    half = float(stdtrit(len(sample.values) - 1, (1 + confidence) / 2)) * standard_error(sample)
    mean = float(sample.values.mean())
    return Interval(mean, mean - half, mean + half)


def wilson(count: float, of: float, *, confidence: float = 0.95) -> Interval:
    """The share `count` / `of` with its score interval, which stays within [0, 1] (Wilson, 1927); `of` above 0.

    >>> wilson(0, 10).low
    0.0
    """
    z = float(ndtri((1 + confidence) / 2))
    share = count / of
    middle = (share + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z / (1 + z**2 / of) * math.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    # Rounding must not put a share of nothing or of all outside its limits.
    return Interval(share, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)))


def p_value(difference: Values) -> float:
    """Two-sided probability of a mean as far from zero as this by chance (Student's t)."""
    sample = Sample.of(difference)
    mean, error = float(sample.values.mean()), standard_error(sample)
    if error == 0:
        return float(mean == 0)
    return 2 * float(stdtr(len(sample.values) - 1, -abs(mean) / error))


def holm(probabilities: ArrayLike) -> Floats:
    """[m] p-values adjusted for m comparisons: all below α are true differences with probability 1 - α (Holm, 1979).

    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(probabilities, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.minimum(p[order] * np.arange(len(p), 0, -1), 1.0)
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted


def paired(values: Values, baseline: Values, *, confidence: float = 0.95) -> Interval:
    """Interval of the mean difference `values` - `baseline`, replication by replication."""
    return interval(Sample.of(values) - Sample.of(baseline), confidence=confidence)


def paired_ratio(values: Values, baseline: Values, *, confidence: float = 0.95) -> Interval | None:
    """The relative difference of means with the interval of Fieller (1954), which contains 0 where `paired` does.

    The shares r for which the mean of (values - baseline) - r·baseline is not surely off zero: between the roots of a
    quadratic. None where the baseline's mean is not surely positive: then no share can be told.
    """
    base = Sample.of(baseline)
    difference = Sample.of(values) - base
    level, gain = float(base.values.mean()), float(difference.values.mean())
    surely = float(stdtrit(len(base.values) - 1, (1 + confidence) / 2)) ** 2
    own, of_base, both = (surely * standard_error(one) ** 2 for one in (difference, base, difference - base))
    shared = (own + of_base - both) / 2
    square, linear, constant = level**2 - of_base, gain * level - shared, gain**2 - own
    if level <= 0 or square <= 0:
        return None
    half = math.sqrt(max(linear**2 - square * constant, 0.0))
    return Interval(gain / level, (linear - half) / square, (linear + half) / square)
