"""Minutes of work that each skill is going to be asked for, week by week, and the reserve to keep for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError, unknown
from twinloop.prognostics.demand.methods import METHODS, Expected
from twinloop.prognostics.demand.settings import DemandSettings

Floats = NDArray[np.float64]
# naive: what the last week of the history says.
FORECAST: dict[str, Any] = {
    "skill": pl.String,
    "week": pl.Int64,
    "low": pl.Float64,
    "median": pl.Float64,
    "high": pl.Float64,
    "naive": pl.Float64,
}
MOST_RESERVED = 0.95


@dataclass(frozen=True, eq=False)
class DemandForecast:
    """frame: `FORECAST`, minutes by skill and week ahead, with the 10, 50 and 90 % quantiles; ordered by these.

    expected: of each skill, mean and deviation of its weeks.
    """

    frame: pl.DataFrame
    expected: Mapping[str, Expected]

    @property
    def skills(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(self.expected)

    @property
    def first_week(self) -> int:
        """Number of the first week ahead."""
        return int(self.frame["week"].min())  # type: ignore[arg-type]

    def reserve(
        self, minutes_a_week: Mapping[str, float], *, quantile: str = "high", most: float = MOST_RESERVED
    ) -> dict[str, float]:
        """Skill → share of its minutes to keep free for what is forecast, for `booking.Workshop` and `BookingRule`.

        Forecast what nobody books (jobs_of_stays with roadside=True) for this. minutes_a_week: skill → minutes that
        its technicians work. quantile: low, median or high, of the weeks' mean. most: share that is kept where more
        is foretold than there is. Raises InputError for a skill without forecast, and for minutes that are not above 0.
        """
        if quantile not in ("low", "median", "high"):
            raise unknown("demand: quantile", quantile, ("low", "median", "high"))
        means = dict(self.frame.group_by("skill").agg(pl.col(quantile).mean()).iter_rows())
        shares = {}
        for skill, minutes in minutes_a_week.items():
            if skill not in means:
                raise unknown("demand: skill", skill, self.skills)
            if not minutes > 0:
                raise InputError(f"demand: {skill}: expected minutes a week above 0, got {minutes}")
            shares[skill] = min(means[skill] / minutes, most)
        return shares


def forecast_demand(demand: pl.DataFrame, settings: DemandSettings | None = None) -> DemandForecast:
    """The weeks after a history. demand: skill, week, minutes, every week of every skill once, as `weekly` makes it.

    Raises InputError for a history that is too short, weeks that are missing or come twice, and minutes that are not
    finite or below 0.
    """
    settings = settings or DemandSettings()
    expected, frames = {}, []
    first = _first_week(demand, settings)
    for (skill,), part in demand.sort("skill", "week").group_by("skill", maintain_order=True):
        past = part["minutes"].to_numpy().astype(np.float64)
        expected[str(skill)] = METHODS[settings.method](past, settings)
        frames.append(forecast_rows(str(skill), expected[str(skill)], first, past[-1]))
    return DemandForecast(pl.concat(frames), expected)


def forecast_rows(skill: str, expected: Expected, first: int, naive: float) -> pl.DataFrame:
    low, median, high = expected.quantiles
    weeks = range(first, first + len(median))
    columns = {"skill": skill, "week": weeks, "low": low, "median": median, "high": high, "naive": naive}
    return pl.DataFrame(columns, schema=FORECAST)


def _first_week(demand: pl.DataFrame, settings: DemandSettings) -> int:
    """The first week ahead, of a history that is complete."""
    if demand.is_empty():
        raise InputError("demand: expected a history of some weeks, got none")
    low, high = int(demand["week"].min()), int(demand["week"].max())  # type: ignore[arg-type]
    weeks = high - low + 1
    if weeks < settings.least_weeks:
        raise InputError(f"demand: expected a history of at least {settings.least_weeks} weeks, got {weeks}")
    counts = demand.group_by("skill").agg(rows=pl.len(), weeks=pl.col("week").n_unique()).sort("skill")
    for skill, rows, several in counts.iter_rows():
        if rows != weeks or several != weeks:
            raise InputError(
                f"demand: {skill}: expected each of {weeks} weeks once, got {rows} rows of {several}: use weekly()"
            )
    wrong = demand.filter(~(pl.col("minutes").is_finite() & (pl.col("minutes") >= 0)) | pl.col("minutes").is_null())
    if len(wrong):
        skill, week, minutes = wrong.select("skill", "week", "minutes").row(0)
        raise InputError(f"demand: {skill}: week {week}: expected minutes of at least 0, got {minutes}")
    return high + 1
