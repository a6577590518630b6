"""Durations by their mean and coefficient of variation, or as they were observed, drawn in blocks and guarded.

Engineers know a mean and a spread, seldom a shape parameter: lognormal, gamma and Weibull are given
by mean and cv. SimPy accepts a NaN delay and its clock becomes NaN; here every block is checked
before a process sees it, and the error names the entity whose duration it was.
"""

import math
from collections.abc import Callable, Iterator
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from twinloop.config import settings
from twinloop.errors import RunError
from twinloop.replication.streams import BLOCK, Streams

Floats = NDArray[np.float64]
NEEDS: dict[str, tuple[str, ...]] = {
    "deterministic": ("mean",),
    "exponential": ("mean",),
    "lognormal": ("mean", "cv"),
    "gamma": ("mean", "cv"),
    "weibull": ("mean", "cv"),
    "triangular": ("low", "mode", "high"),
    "uniform": ("low", "high"),
    "geometric": ("mean",),
    "empirical": ("values",),
}
PARAMETERS = ("mean", "cv", "low", "mode", "high", "values")
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


@settings
class Distribution:
    """A distribution of non-negative durations in minutes.

    deterministic and exponential take `mean`; lognormal, gamma and weibull take `mean` and `cv`
    (standard deviation over mean); triangular takes `low`, `mode`, `high`; uniform `low`, `high`.
    geometric counts whole minutes 1, 2, … with a `mean` from 1; empirical draws from observed `values`, each alike.

    >>> Distribution(kind="triangular", low=1, mode=2, high=6).average
    3.0
    """

    kind: Literal[
        "deterministic",
        "exponential",
        "lognormal",
        "gamma",
        "weibull",
        "triangular",
        "uniform",
        "geometric",
        "empirical",
    ]
    mean: Positive | None = None
    cv: Annotated[float, Field(gt=0, le=20)] | None = None
    low: NotNegative | None = None
    mode: NotNegative | None = None
    high: Positive | None = None
    values: tuple[NotNegative, ...] | None = None

    def __post_init__(self) -> None:
        needed = NEEDS[self.kind]
        given = tuple(name for name in PARAMETERS if getattr(self, name) is not None)
        if set(given) != set(needed):
            raise ValueError(f"{self.kind} takes {' and '.join(needed)}, got {' and '.join(given) or 'nothing'}")
        ordered = [value for value in (self.low, self.mode, self.high) if value is not None]
        if ordered != sorted(ordered) or (ordered and ordered[0] == ordered[-1]):
            raise ValueError(f"{self.kind} expects {' ≤ '.join(needed)} and low < high")
        if self.kind == "geometric" and self.average < 1:
            raise ValueError(f"geometric expects mean ≥ 1, as it counts whole minutes from 1, got {self.mean}")
        if self.values is not None and not any(self.values):
            raise ValueError("empirical expects observed values, at least one of them > 0")

    @property
    def average(self) -> float:
        """Expected duration in minutes."""
        if self.mean is not None:
            return self.mean
        if self.values is not None:
            return sum(self.values) / len(self.values)
        ends = [value for value in (self.low, self.mode, self.high) if value is not None]
        return sum(ends) / len(ends)

    def sample(self, rng: np.random.Generator, count: int) -> Floats:
        """[count] independent draws in minutes."""
        mean, cv = self.average, self.cv or 0.0
        if self.kind == "exponential":
            return rng.exponential(mean, count)
        if self.kind == "lognormal":
            variance = math.log1p(cv**2)
            return rng.lognormal(math.log(mean) - variance / 2, math.sqrt(variance), count)
        if self.kind == "gamma":
            return rng.gamma(cv**-2, mean * cv**2, count)
        if self.kind == "weibull":
            shape = weibull_shape(cv)
            return mean / math.gamma(1 + 1 / shape) * rng.weibull(shape, count)
        if self.kind == "triangular":
            return rng.triangular(self.low or 0.0, self.mode or 0.0, self.high or 0.0, count)
        if self.kind == "uniform":
            return rng.uniform(self.low or 0.0, self.high or 0.0, count)
        if self.kind == "geometric":
            return rng.geometric(1 / mean, count).astype(np.float64)
        if self.values is not None:
            return np.array(self.values)[(rng.random(count) * len(self.values)).astype(np.int64)]
        return np.full(count, mean)

    def __str__(self) -> str:
        if self.values is not None:
            return f"empirical({len(self.values)} values, mean {self.average:g})"
        return f"{self.kind}({', '.join(f'{name} {getattr(self, name):g}' for name in NEEDS[self.kind])})"


def weibull_shape(cv: float) -> float:
    """The Weibull shape whose standard deviation is `cv` times its mean (bisection on the log scale)."""
    low, high = math.log(0.1), math.log(1000.0)

    def excess(log_shape: float) -> float:
        shape = math.exp(log_shape)
        return math.lgamma(1 + 2 / shape) - 2 * math.lgamma(1 + 1 / shape) - math.log1p(cv**2)

    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return math.exp((low + high) / 2)


def guarded(durations: Floats, source: str) -> Floats:
    """The same durations, or RunError naming `source` when one is NaN, infinite or negative.

    >>> guarded(np.array([1.0, 2.0]), "station press: repair").tolist()
    [1.0, 2.0]
    """
    good = np.isfinite(durations) & (durations >= 0)
    if not good.all():
        raise RunError(
            f"simulate: {source}: drew a duration of {durations[~good][0]:g}: "
            "expected a finite number ≥ 0; check its mean and cv"
        )
    return durations


def durations(distribution: Distribution, streams: Streams, entity: str, purpose: str) -> Callable[[], float]:
    """A function that gives the entity's next guarded duration in minutes, drawn in blocks from a stream of its own."""
    rng, source = streams.generator(entity, purpose), f"{entity}: {purpose}"

    def stream() -> Iterator[float]:
        while True:
            yield from guarded(distribution.sample(rng, BLOCK), source).tolist()

    return stream().__next__
