"""What a run without an end says: whether it settles, where its start stops to matter, and how sure its mean is.

Whether it settles is told by replications (`growth`): what a queue that is loaded beyond its capacity holds grows with
time, or at exactly its capacity with the root of time, while a stable one stays, however long it was busy. The warm-up
by MSER-5 (White, 1997; White, Cobb and Spratt, 2000), its picture by Welch's moving average (1983), and the mean of one
long run by batch means (Schmeiser, 1982).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from twinloop.errors import InputError
from twinloop.numbers import Interval
from twinloop.replication.statistics import interval

Floats = NDArray[np.float64]
MSER_BATCH = 5
LEAST_BATCHES = 10
LEAST_LEFT = 5
# Names of what a system tells beside its key figures: how much is in it on average in two quarters of a replication.
EARLY, LATE = "second_quarter", "last_quarter"
# A root grows by half from the second to the last quarter; a stable queue that has just filled by an eighth.
MARGIN = 0.25
LEAST_GROWTH = 1.0
CHANCE = 0.01


@dataclass(frozen=True)
class Truncation:
    """How many values at the start of a series are its warm-up.

    settled: whether the rest is steady as far as the series can tell; if not, the series is too short.
    """

    values: int
    settled: bool


@dataclass(frozen=True)
class Growth:
    """How much is in a system in the second and in the last quarter of its time, means over replications.

    p: the probability of so much by chance, where the last quarter holds a quarter more than the second.
    """

    early: float
    late: float
    p: float

    @property
    def sure(self) -> bool:
        """Whether the system surely does not settle within its time."""
        return self.p < CHANCE and self.late - self.early > LEAST_GROWTH


@dataclass(frozen=True)
class BatchMeans:
    """The mean of a dependent series with its interval, from `size` values to a batch.

    correlation: of one batch with the next (lag 1); far above 0 the batches are too small and the interval too short.
    """

    interval: Interval
    size: int
    correlation: float


def growth(early: ArrayLike, late: ArrayLike, *, initial: float = 0.0) -> Growth:
    """Whether what is in a system, `early` and `late` [replications], goes on growing (one-sided Student's t).

    What it began with, `initial`, did not grow. Raises ValueError for fewer than two replications.
    """
    first, last = np.asarray(early, dtype=np.float64), np.asarray(late, dtype=np.float64)
    if len(first) < 2:
        raise ValueError(f"expected at least 2 replications, got {len(first)}")
    beyond = last - first - MARGIN * np.maximum(first - initial, 0.0)
    mean, error = float(beyond.mean()), math.sqrt(float(beyond.var(ddof=1)) / len(beyond))
    p = float(stdtr(len(beyond) - 1, -mean / error)) if error > 0 else float(mean <= 0)
    return Growth(early=float(first.mean()), late=float(last.mean()), p=p)


def mser(series: ArrayLike, *, batch: int = MSER_BATCH) -> Truncation:
    """The warm-up of `series` [n]: the cut after which the mean's standard error is least, on means of `batch` values.

    The second half of a series decides nothing: it holds too few values beyond the cut, and a least value there means
    that the series ends before it is steady. Raises InputError for fewer than 10 batches.
    """
    values = _finite(series)
    means = _batches(values, size=batch)
    count = len(means)
    if count < LEAST_BATCHES:
        raise InputError(
            f"warm-up: expected at least {LEAST_BATCHES} batches of {batch} values, got {len(values)} "
            "values: simulate longer"
        )
    # Sums from the end: what remains after each cut. Centred first, for the squares not to cancel.
    centred = means - means.mean()
    left = np.arange(count, 0, -1)
    total, squares = np.cumsum(centred[::-1])[::-1], np.cumsum(centred[::-1] ** 2)[::-1]
    statistic = np.maximum(squares - total**2 / left, 0.0) / left**2
    # The last cuts leave next to nothing, whose spread is small by chance: a tenth, and at least five, must remain.
    cut = int(np.argmin(statistic[: count + 1 - max(LEAST_LEFT, count // 10)]))
    return Truncation(values=cut * batch, settled=cut <= count // 2)


def moving_average(series: ArrayLike, *, window: int) -> Floats:
    """Welch's average [n - window] of `window` values on both sides; near the start of as many as there are.

    series: [n], or [replications, n], whose mean is taken first.
    Raises InputError unless 1 ≤ window ≤ n / 4, Welch's own limit.
    """
    values = np.atleast_2d(_finite(series)).mean(axis=0)
    if not 1 <= window <= len(values) // 4:
        raise InputError(
            f"warm-up: window = {window}: expected 1 to a quarter of {len(values)} values: simulate longer"
        )
    sums = np.concatenate(([0.0], np.cumsum(values)))
    centre = np.arange(len(values) - window)
    reach = np.minimum(centre, window)
    smooth: Floats = (sums[centre + reach + 1] - sums[centre - reach]) / (2 * reach + 1)
    return smooth


def batch_means(series: ArrayLike, *, warmup: int = 0, batches: int = 20, confidence: float = 0.95) -> BatchMeans:
    """Interval of the mean of one long dependent `series` [n] after its first `warmup` values.

    10 to 30 batches are enough (Schmeiser, 1982). Values that fill no batch are left out at the start.
    Raises InputError for a warm-up as long as the series and for fewer than two values to a batch.
    """
    values = _finite(series)
    if not 0 <= warmup < len(values):
        raise InputError(
            f"batch means: the warm-up of {warmup} values is not shorter than the series of {len(values)}: "
            "simulate longer"
        )
    if batches < 2:
        raise InputError(f"batch means: batches = {batches}: expected at least 2, better 10 to 30")
    size = (len(values) - warmup) // batches
    if size < 2:
        raise InputError(
            f"batch means: {len(values) - warmup} values after the warm-up do not fill {batches} batches of "
            "two: simulate longer or take fewer batches"
        )
    means = _batches(values[len(values) - size * batches :], size=size)
    return BatchMeans(interval(means, confidence=confidence), size, _lag_one(means))


def _finite(series: ArrayLike) -> Floats:
    values = np.asarray(series, dtype=np.float64)
    if not np.isfinite(values).all():
        raise InputError("expected a series of finite numbers, got NaN or infinity: fill or drop the gaps")
    return values


def _batches(values: Floats, *, size: int) -> Floats:
    means: Floats = values[: len(values) // size * size].reshape(-1, size).mean(axis=1)
    return means


def _lag_one(means: Floats) -> float:
    centred = means - means.mean()
    square = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / square if square > 0 else 0.0
