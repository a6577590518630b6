"""Settings of forecasts of workshop demand; free of statsmodels."""

from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings

Method = Literal["ets", "stl", "last value", "seasonal naive", "prophet"]
# Of the quantiles low, median and high.
QUANTILES = (0.1, 0.5, 0.9)


@settings
class DemandSettings:
    """A forecast of weekly minutes per skill. method: of `methods.METHODS`. horizon: weeks ahead.

    season: weeks of a year's season. least_weeks: of history, below which nothing is forecast.
    """

    method: Method = "ets"
    horizon: Annotated[int, Field(ge=1, le=520)] = 4
    season: Annotated[int, Field(ge=2, le=520)] = 52
    least_weeks: Annotated[int, Field(ge=4, le=520)] = 12
