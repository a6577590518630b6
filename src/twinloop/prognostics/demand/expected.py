"""What the risks of today foretell for the coming weeks, and a forecast that knows of it.

A forecast of the past's weeks does not see which parts are about to fail; a risk table does, but only as far as it
looks. Where both speak, their means are averaged by how sure each is (inverse variances: Bates and Granger, 1969), and
their deviations alike: most of what neither knows is the same chance, which two forecasts do not halve.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from twinloop.contracts import RiskTable
from twinloop.errors import unknown
from twinloop.prognostics.demand.forecast import DemandForecast, forecast_rows
from twinloop.prognostics.demand.history import Work
from twinloop.prognostics.demand.methods import Expected

# variance: of minutes, from that of the number of jobs.
PREDICTED: dict[str, Any] = {
    "skill": pl.String,
    "week": pl.Int64,
    "jobs": pl.Float64,
    "minutes": pl.Float64,
    "variance": pl.Float64,
}


def predicted_jobs(
    risks: RiskTable, work: Mapping[str, Work], *, first_week: int, weeks: int = 2, hours_per_week: float = 168.0
) -> pl.DataFrame:
    """Jobs that the table expects in the weeks after its issue: `PREDICTED`, ordered by skill and week.

    hours_per_week: by the table's clock: 168 by the calendar, else the hours that an asset works in a week. Failures
    count as a Poisson number, so that its variance is its mean. Raises InputError for a component whose work is not
    known.
    """
    edges = np.arange(weeks + 1) * hours_per_week
    totals: dict[str, np.ndarray[Any, np.dtype[np.float64]]] = {
        skill: np.zeros((3, weeks)) for skill in sorted({one.skill for one in work.values()})
    }
    for asset in risks.assets:
        for component, hazard in risks.components(asset).items():
            if component not in work:
                raise unknown("demand: component", component, work)
            skill, minutes = work[component]
            jobs = np.diff(hazard.until(edges))
            totals[skill] += np.stack([jobs, jobs * minutes, jobs * minutes**2])
    rows = [(skill, first_week + week, *totals[skill][:, week].tolist()) for skill in totals for week in range(weeks)]
    return pl.DataFrame(rows, schema=PREDICTED, orient="row")


def with_predicted(forecast: DemandForecast, predicted: pl.DataFrame) -> DemandForecast:
    """The forecast with its weeks that are predicted averaged with that.

    predicted: skill, week, minutes and variance, as `predicted_jobs` makes it, of the same kind of jobs as the
    forecast: failures alone go with a forecast of roadside stays; else what is booked is added to their minutes.
    Raises InputError for a skill without forecast.
    """
    changed, frames = dict(forecast.expected), []
    naive = dict(forecast.frame.group_by("skill").agg(pl.col("naive").first()).iter_rows())
    for skill, week, minutes, variance in predicted.select("skill", "week", "minutes", "variance").iter_rows():
        if skill not in changed:
            raise unknown("demand: skill", skill, forecast.skills)
        place = week - forecast.first_week
        if 0 <= place < len(changed[skill].mean):
            changed[skill] = _averaged(changed[skill], place, minutes, variance)
    for skill, expected in changed.items():
        frames.append(forecast_rows(skill, expected, forecast.first_week, naive[skill]))
    return DemandForecast(pl.concat(frames), changed)


def _averaged(expected: Expected, place: int, minutes: float, variance: float) -> Expected:
    mean, deviation = expected.mean.copy(), expected.deviation.copy()
    own = deviation[place] ** 2
    if own + variance > 0:
        share = variance / (own + variance)
        mean[place] = share * mean[place] + (1 - share) * minutes
        deviation[place] = share * deviation[place] + (1 - share) * np.sqrt(variance)
    return Expected(mean, deviation)
