"""Methods that forecast a weekly series: exponential smoothing, with or without a season, and what they must beat.

Each takes the series of the past and says low, median and high of the weeks ahead. statsmodels is imported by its two
methods only, and Prophet, which is optional, by its own module. A new method is a function and an entry in `METHODS`.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from twinloop.errors import InputError
from twinloop.prognostics.demand.settings import QUANTILES, DemandSettings

Floats = NDArray[np.float64]
# Neighbouring weeks share a season: what two or three years say of a single week of the year is mostly chance.
SHARED_WEEKS = 9


class Expected(NamedTuple):
    """Mean and standard deviation of each of the weeks ahead, [horizon]."""

    mean: Floats
    deviation: Floats

    @property
    def quantiles(self) -> Floats:
        """[3, horizon] low, median and high of a normal distribution; demand is never below 0."""
        found: Floats = np.maximum(self.mean + ndtri(np.array(QUANTILES))[:, None] * self.deviation, 0.0)
        return found


Method = Callable[[Floats, DemandSettings], Expected]


def last_value(past: Floats, settings: DemandSettings) -> Expected:
    """As in the last week; as uncertain as a random walk of the past's steps."""
    steps = np.arange(1, settings.horizon + 1)
    return Expected(np.full(settings.horizon, past[-1]), _spread(np.diff(past)) * np.sqrt(steps))


def seasonal_naive(past: Floats, settings: DemandSettings) -> Expected:
    """As in the same week a year before. Raises InputError for a history of less than a year and a week."""
    _require(past, settings.season + 1, "seasonal naive")
    ahead = np.arange(settings.horizon) % settings.season
    return Expected(
        past[len(past) - settings.season + ahead],
        np.full(settings.horizon, _spread(past[settings.season :] - past[: -settings.season])),
    )


def ets(past: Floats, settings: DemandSettings) -> Expected:
    """Exponential smoothing in state-space form (Hyndman et al., 2002): a level, or one with a damped trend by AICc."""
    if np.ptp(past) == 0:
        return Expected(np.full(settings.horizon, past[0]), np.zeros(settings.horizon))
    import pandas as pd
    from statsmodels.tools.sm_exceptions import ConvergenceWarning
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    series = pd.Series(past)  # its prediction intervals take no array
    # Likelihoods are flat where a series is nearly constant; what was reached there is as good as anything near it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fits: list[Any] = [ETSModel(series, error="add").fit(disp=False)]
        if len(past) >= 2 * settings.least_weeks:
            fits.append(ETSModel(series, error="add", trend="add", damped_trend=True).fit(disp=False))
    best = min(fits, key=lambda fit: float(fit.aicc))
    foretold = best.get_prediction(len(past), len(past) + settings.horizon - 1)
    return Expected(
        np.asarray(foretold.predicted_mean, np.float64), np.sqrt(np.asarray(foretold.forecast_variance, np.float64))
    )


def stl(past: Floats, settings: DemandSettings) -> Expected:
    """A year's season by loess (STL: Cleveland et al., 1990), and exponential smoothing of what remains.

    Raises InputError for a history of less than two years.
    """
    _require(past, 2 * settings.season, "stl")
    if np.ptp(past) == 0:
        return ets(past, settings)
    from statsmodels.tsa.seasonal import STL

    season = np.asarray(STL(past, period=settings.season, robust=True).fit().seasonal)[-settings.season :]
    shared = min(SHARED_WEEKS, settings.season - 1) | 1
    smooth = np.convolve(np.pad(season, shared // 2, mode="wrap"), np.full(shared, 1 / shared), mode="valid")
    smooth -= smooth.mean()
    place = np.arange(len(past) + settings.horizon) - len(past)
    rest = ets(past - smooth[place[: len(past)] % settings.season], settings)
    return Expected(rest.mean + smooth[place[len(past) :] % settings.season], rest.deviation)


def prophet(past: Floats, settings: DemandSettings) -> Expected:
    """Prophet (Taylor and Letham, 2018). Raises InputError where it is not installed."""
    from twinloop.prognostics.demand.prophet import foretold

    return Expected(*foretold(past, horizon=settings.horizon, season=settings.season))


METHODS: Mapping[str, Method] = {
    "ets": ets,
    "stl": stl,
    "last value": last_value,
    "seasonal naive": seasonal_naive,
    "prophet": prophet,
}


def _spread(errors: Floats) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def _require(past: Floats, weeks: int, method: str) -> None:
    if len(past) < weeks:
        raise InputError(
            f"demand: {method}: expected a history of at least {weeks} weeks, got {len(past)}: use method='ets'"
        )
