"""Wear processes: gamma, Wiener and Weibull, by the mean and the coefficient of variation of the life they give.

gamma: independent gamma increments (van Noortwijk, 2009); the crossing is located by gamma bridges. wiener: the life is
inverse Gaussian, and given the life the way to the limit, seen from its end, is a three-dimensional Bessel bridge
(Williams, 1974), so that no crossing is ever missed between grid points. weibull: a hazard that grows with age.
"""

import functools
import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc

from twinloop.simulation.model.distributions import weibull_shape
from twinloop.simulation.model.wear import Wear

Floats = NDArray[np.float64]
GRID = 64
BISECTIONS = 9


@functools.lru_cache
def gamma_limit(cv: float) -> tuple[float, float]:
    """The limit in units of the scale, and the mean life in units of 1/shape per minute, that give a life's cv.

    With shape u at the limit y, P(life > u) = P(u, y), the regularised incomplete gamma function.
    """
    from scipy.optimize import brentq

    def moments(log_limit: float) -> tuple[float, float]:
        limit = math.exp(log_limit)
        shape = np.linspace(0.0, limit + 12 * math.sqrt(limit) + 60, 20_001)
        shape[0] = 1e-12
        survival = gammainc(shape, limit)
        return float(np.trapezoid(survival, shape)), float(np.trapezoid(2 * shape * survival, shape))

    def excess(log_limit: float) -> float:
        first, second = moments(log_limit)
        return math.sqrt(max(second / first**2 - 1, 0.0)) - cv

    root = brentq(excess, -24.0, math.log(2 / cv**2) + 1, xtol=1e-10)
    return math.exp(root), moments(root)[0]


def gamma_parameters(wear: Wear) -> tuple[float, float]:
    """Shape per minute and scale of the increments of a gamma process."""
    limit, mean = gamma_limit(wear.cv)
    return mean / wear.mean_life_min, wear.limit / limit


def wiener_parameters(wear: Wear) -> tuple[float, float]:
    """Drift per minute and standard deviation per square root of a minute."""
    drift = wear.limit / wear.mean_life_min
    return drift, wear.cv * math.sqrt(drift * wear.limit)


def weibull_parameters(wear: Wear) -> tuple[float, float]:
    """Shape and scale in minutes of the life."""
    shape = weibull_shape(wear.cv)
    return shape, wear.mean_life_min / math.gamma(1 + 1 / shape)


def gamma_process(wear: Wear, rng: np.random.Generator, start: float) -> tuple[Floats, Floats]:
    """Ages and levels up to the first level at or above the limit."""
    rate, scale = gamma_parameters(wear)
    step = wear.mean_life_min / GRID
    levels: Floats = np.array([start])
    while levels[-1] < wear.limit:
        levels = np.append(levels, levels[-1] + rng.gamma(rate * step, scale, GRID).cumsum())
    last = int(np.argmax(levels >= wear.limit))
    ages: Floats = np.arange(last + 1, dtype=np.float64) * step
    levels = levels[: last + 1]
    for _ in range(BISECTIONS):  # the crossing is in the last cell: halve it by a gamma bridge
        half = rate * (ages[-1] - ages[-2]) / 2
        middle = levels[-2] + (levels[-1] - levels[-2]) * rng.beta(half, half)
        age = (ages[-1] + ages[-2]) / 2
        if middle >= wear.limit:
            ages[-1], levels[-1] = age, middle
        else:
            ages, levels = np.insert(ages, -1, age), np.insert(levels, -1, middle)
    return ages, levels


def wiener_process(wear: Wear, rng: np.random.Generator, start: float) -> tuple[Floats, Floats]:
    """Ages and levels up to the first passage of the limit, which is the last of both."""
    drift, deviation = wiener_parameters(wear)
    way = wear.limit - start
    life = float(rng.wald(way / drift, (way / deviation) ** 2))
    share = np.linspace(0.0, 1.0, GRID + 1)  # of the life; along the bridge: still to come
    walk = rng.normal(0.0, deviation * math.sqrt(life / GRID), (3, GRID)).cumsum(axis=1)
    walk = np.pad(walk, ((0, 0), (1, 0)))
    bridge = walk - share * walk[:, -1:]
    bridge[0] += way * share
    return share * life, wear.limit - np.sqrt((bridge**2).sum(axis=0))[::-1]


def weibull_life(wear: Wear, rng: np.random.Generator, start: float) -> tuple[Floats, Floats]:
    """Ages up to the failure, and limit × the probability that a machine of that age has failed by then."""
    shape, scale = weibull_parameters(wear)
    hazard = -math.log1p(-start / wear.limit)
    used = scale * hazard ** (1 / shape)
    life = scale * (hazard + rng.exponential()) ** (1 / shape) - used
    ages = np.linspace(0.0, life, GRID + 1)
    return ages, -wear.limit * np.expm1(-(((used + ages) / scale) ** shape))


PROCESSES: Mapping[str, Callable[[Wear, np.random.Generator, float], tuple[Floats, Floats]]] = {
    "gamma": gamma_process,
    "wiener": wiener_process,
    "weibull": weibull_life,
}
