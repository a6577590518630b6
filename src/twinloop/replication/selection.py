"""Ranking and selection: which of k scenarios is best, with a stated probability of being right.

`subset` leaves out what surely is not the best. `Selection` is the fully sequential procedure of Kim and Nelson (2001):
it allows for common random numbers and drops scenarios as soon as they are beaten. `rinott` is the classical
two-stage procedure for independent scenarios (Rinott, 1978). All are right with probability `confidence` when the best
is at least `indifference` better than the rest.
"""

import math
from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import chdtri, ndtr, roots_legendre, stdtrit

from twinloop.errors import InputError

Floats = NDArray[np.float64]
NODES = 200


@cache
def rinott(scenarios: int, replications: int, *, confidence: float = 0.95) -> float:
    """Rinott's constant h for k scenarios after a first stage of n0 replications each.

    The root of ∫ [∫ Φ(h / √(ν (1/x + 1/y))) f(x) dx]^(k - 1) f(y) dy = confidence with the χ² density f of ν = n0 - 1
    degrees of freedom, by Gauss–Legendre integration over its quantiles (Rinott, 1978; Wilcox, 1984, has tables).
    Raises InputError for fewer than two scenarios or replications.

    >>> round(rinott(2, 20), 2)
    2.45
    """
    _check(scenarios, replications, confidence)
    freedom = replications - 1
    points, weights = roots_legendre(NODES)
    quantiles = chdtri(freedom, (1 - points) / 2)
    spread = np.sqrt(freedom * (1 / quantiles[:, None] + 1 / quantiles[None, :]))

    def excess(constant: float) -> float:
        inner = ndtr(constant / spread) @ (weights / 2)
        return float((weights / 2) @ inner ** (scenarios - 1)) - confidence

    return float(brentq(excess, 0.0, 1000.0, xtol=1e-9))


def second_stage(first: Mapping[str, ArrayLike], *, indifference: float, confidence: float = 0.95) -> dict[str, int]:
    """How many replications each scenario needs in all by Rinott's procedure; the best mean of these is then chosen.

    first: name → figure over the replications of the first stage [n0], independent between scenarios.
    Raises InputError as `rinott` does and for an indifference that is not above 0.
    """
    values = _table(first)
    _check_indifference(indifference)
    constant = rinott(len(first), values.shape[1], confidence=confidence)
    needed = np.ceil(constant**2 * values.var(axis=1, ddof=1) / indifference**2)
    return {name: max(values.shape[1], int(count)) for name, count in zip(first, needed, strict=True)}


def subset(figures: Mapping[str, ArrayLike], *, confidence: float = 0.95) -> tuple[str, ...]:
    """The scenarios that may be the best (largest mean), in the order given; the best is among them with `confidence`.

    figures: name → figure over replications [n], paired by common random numbers or not. Every pair is compared at
    the level of Bonferroni (screening after Nelson, Swann, Goldsman and Song, 2001).
    """
    values = _table(figures)
    count, n = values.shape
    if count == 1:
        return tuple(figures)
    _check(count, n, confidence)
    quantile = float(stdtrit(n - 1, 1 - (1 - confidence) / (count - 1)))
    means = values.mean(axis=1)
    limits = quantile * np.sqrt(_difference_variances(values) / n)
    beaten = (means[:, None] < means[None, :] - limits).any(axis=1)
    return tuple(name for name, out in zip(figures, beaten, strict=True) if not out)


class Selection:
    """Scenarios that are still in the running, told replication by replication until one is left.

    first: name → figure over the first n0 replications. `add` takes further ones of those in `remaining`.
    Raises InputError for fewer than two replications and for an indifference that is not above 0.
    """

    def __init__(self, first: Mapping[str, ArrayLike], *, indifference: float, confidence: float = 0.95) -> None:
        values = _table(first)
        count, n = values.shape
        _check(count, n, confidence)
        _check_indifference(indifference)
        self.remaining: tuple[str, ...] = tuple(first)
        self._values = dict(zip(first, values, strict=True))
        self._indifference = indifference
        eta = ((2 * (1 - confidence) / (count - 1)) ** (-2 / (n - 1)) - 1) / 2
        reach = 2 * eta * (n - 1) * _difference_variances(values)
        self._names = tuple(first)
        # Pairs are compared until this many replications; then the larger mean wins whatever the difference.
        self._reach = reach / indifference**2
        self._eliminate()

    @property
    def replications(self) -> int:
        """How many every remaining scenario has."""
        return len(self._values[self.remaining[0]])

    @property
    def decided(self) -> bool:
        """Whether one scenario is left."""
        return len(self.remaining) == 1

    @property
    def best(self) -> str:
        """The remaining scenario with the largest mean; of equals the first."""
        return max(self.remaining, key=lambda name: float(self._values[name].mean()))

    def add(self, more: Mapping[str, ArrayLike]) -> None:
        """Further replications, as many of every remaining scenario."""
        fresh = _table({name: more[name] for name in self.remaining})
        for name, values in zip(self.remaining, fresh, strict=True):
            self._values[name] = np.concatenate((self._values[name], values))
        self._eliminate()

    def _eliminate(self) -> None:
        n = self.replications
        places = [self._names.index(name) for name in self.remaining]
        means = np.array([self._values[name].mean() for name in self.remaining])
        reach = self._reach[np.ix_(places, places)]
        limits = np.maximum(0.0, self._indifference / (2 * n) * (reach - n))
        beaten = (means[:, None] < means[None, :] - limits).any(axis=1)
        left = tuple(name for name, out in zip(self.remaining, beaten, strict=True) if not out)
        # Past every pair's reach only equal means are left: nothing tells them apart.
        self.remaining = left if n <= reach.max() else (self._first_best(left),)

    def _first_best(self, names: tuple[str, ...]) -> str:
        return max(names, key=lambda name: float(self._values[name].mean()))


def _table(figures: Mapping[str, ArrayLike]) -> Floats:
    values = [np.asarray(sample, dtype=np.float64) for sample in figures.values()]
    if not values or len({sample.shape for sample in values}) > 1 or values[0].ndim != 1:
        raise InputError("selection expects as many replications of every scenario, and at least one scenario")
    return np.stack(values)


def _difference_variances(values: Floats) -> Floats:
    """[k, k] sample variance of each paired difference."""
    covariance = np.atleast_2d(np.cov(values, ddof=1))
    single = np.diag(covariance)
    variances: Floats = np.maximum(single[:, None] + single[None, :] - 2 * covariance, 0.0)
    return variances


def _check(scenarios: int, replications: int, confidence: float) -> None:
    if scenarios < 2:
        raise InputError(f"selection expects at least 2 scenarios, got {scenarios}: add one to compare with")
    if replications < 2:
        raise InputError(f"selection expects at least 2 replications, got {replications}: run more")
    if not 1 / scenarios < confidence < 1:
        raise InputError(
            f"selection: confidence = {confidence}: expected a number in (1/{scenarios}, 1), 0.95 for 95 %"
        )


def _check_indifference(indifference: float) -> None:
    if not (indifference > 0 and math.isfinite(indifference)):
        raise InputError(
            f"selection: indifference = {indifference}: expected a number > 0, the smallest difference that matters"
        )
