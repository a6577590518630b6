"""How good forecasts of demand would have been: rolling origins, scaled errors, coverage."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.prognostics.demand.forecast import FORECAST, forecast_demand
from twinloop.prognostics.demand.settings import DemandSettings

Floats = NDArray[np.float64]
# origin: the first week that was not known. scale: mean absolute step from week to week until then.
BACKTEST: dict[str, Any] = {**FORECAST, "origin": pl.Int64, "actual": pl.Float64, "scale": pl.Float64}


def rolling_origin(demand: pl.DataFrame, settings: DemandSettings, *, origins: int, step: int = 1) -> pl.DataFrame:
    """Forecasts from each of the last origins, `step` weeks apart, with what came: `BACKTEST`.

    Each knows only the weeks before its origin. Raises InputError where the history is too short for the first one.
    """
    last = int(demand["week"].max()) + 1 - settings.horizon  # type: ignore[arg-type]
    parts = []
    for origin in range(last - (origins - 1) * step, last + 1, step):
        past = demand.filter(pl.col("week") < origin)
        said = forecast_demand(past, settings).frame
        scale = past.sort("week").group_by("skill").agg(scale=pl.col("minutes").diff().abs().mean())
        came = demand.select("skill", "week", actual="minutes")
        joined = said.join(came, on=["skill", "week"]).join(scale, on="skill")
        parts.append(joined.with_columns(origin=pl.lit(origin, pl.Int64)).select(list(BACKTEST)))
    return pl.concat(parts).sort("skill", "origin", "week")


def mase(actual: Floats, forecast: Floats, scale: Floats | float) -> float:
    """Mean absolute scaled error (Hyndman and Koehler, 2006): of 1, as good as the last value was one step ahead.

    scale: mean absolute step of the history, of each or of all. Raises InputError where it is 0 and an error is not.
    """
    errors, scales = np.abs(actual - forecast), np.broadcast_to(scale, np.shape(actual))
    if np.any((scales == 0) & (errors > 0)):
        raise InputError("demand: expected a history that varies: errors cannot be scaled by one of a constant demand")
    return float(np.mean(np.where(errors > 0, errors / np.where(scales > 0, scales, 1.0), 0.0)))


def coverage(backtest: pl.DataFrame) -> float:
    """Share of weeks whose demand lay from low to high."""
    return float(backtest.select(pl.col("actual").is_between("low", "high").mean()).item())
