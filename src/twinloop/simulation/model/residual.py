"""What is left of a duration that has lasted a while: a draw of T - t given T > t, by its inverse survival function.

An exponential duration forgets; a lognormal repair that has taken long takes longer; a cycle that is nearly over
ends soon. A duration that can no longer be that long ends now.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy.special import gammaincc, gammainccinv, ndtr, ndtri

from twinloop.simulation.model.distributions import Distribution, weibull_shape

Survival = tuple[Callable[[float], float], Callable[[float], float]]


def residual(distribution: Distribution, elapsed: float, rng: np.random.Generator) -> float:
    """Minutes still to come of a duration that has lasted `elapsed` minutes; never negative.

    >>> residual(Distribution(kind="deterministic", mean=5.0), 2.0, np.random.default_rng(0))
    3.0
    """
    if distribution.kind == "deterministic":
        return max(distribution.average - elapsed, 0.0)
    if distribution.kind == "geometric":
        return math.floor(elapsed) + float(distribution.sample(rng, 1)[0]) - elapsed
    if distribution.values is not None:
        longer = [value for value in distribution.values if value > elapsed]
        return longer[int(rng.random() * len(longer))] - elapsed if longer else 0.0
    survival, inverse = _survival(distribution)
    share = survival(elapsed) * (1.0 - rng.random())
    return max(inverse(share) - elapsed, 0.0) if share > 0 else 0.0


def _survival(distribution: Distribution) -> Survival:
    """P(T > t) and its inverse."""
    mean, cv = distribution.average, distribution.cv or 0.0
    low, mode, high = (value or 0.0 for value in (distribution.low, distribution.mode, distribution.high))
    if distribution.kind == "lognormal":
        sigma = math.sqrt(math.log1p(cv**2))
        mu = math.log(mean) - sigma**2 / 2
        return (
            lambda t: float(ndtr((mu - math.log(t)) / sigma)) if t > 0 else 1.0,
            lambda p: math.exp(mu - sigma * float(ndtri(p))),
        )
    if distribution.kind == "gamma":
        shape, scale = cv**-2, mean * cv**2
        return lambda t: float(gammaincc(shape, t / scale)), lambda p: scale * float(gammainccinv(shape, p))
    if distribution.kind == "triangular":
        below = (mode - low) / (high - low)  # share of the ascending side
        return (
            lambda t: _triangular_survival(t, low, mode, high),
            lambda p: (
                high - math.sqrt(p * (high - low) * (high - mode))
                if p <= 1 - below
                else low + math.sqrt((1 - p) * (high - low) * (mode - low))
            ),
        )
    if distribution.kind == "uniform":
        return lambda t: min(max((high - t) / (high - low), 0.0), 1.0), lambda p: high - p * (high - low)
    shape = 1.0 if distribution.kind == "exponential" else weibull_shape(cv)
    scale = mean / math.gamma(1 + 1 / shape)
    return lambda t: math.exp(-((t / scale) ** shape)), lambda p: scale * (-math.log(p)) ** (1 / shape)


def _triangular_survival(time: float, low: float, mode: float, high: float) -> float:
    if time <= low:
        return 1.0
    if time >= high:
        return 0.0
    if time <= mode:
        return 1.0 - (time - low) ** 2 / ((high - low) * (mode - low))
    return (high - time) ** 2 / ((high - low) * (high - mode))
