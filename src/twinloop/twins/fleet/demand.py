"""What the workshop will be asked for: weekly minutes by skill, from the events of the assets and the risks of now."""

import dataclasses
import math

import polars as pl

from twinloop.contracts import RiskTable
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.prognostics.data.record import ERROR, FAILURE
from twinloop.prognostics.demand.backtest import BACKTEST, coverage, mase, rolling_origin
from twinloop.prognostics.demand.expected import PREDICTED, predicted_jobs
from twinloop.prognostics.demand.forecast import DemandForecast, forecast_demand
from twinloop.prognostics.demand.history import DEMAND, MINUTES_PER_WEEK, Work, jobs_of_stays, weekly
from twinloop.prognostics.demand.settings import DemandSettings
from twinloop.prognostics.prepared import Prepared
from twinloop.simulation.fleet import Fleet
from twinloop.twins.fleet import plan
from twinloop.twins.fleet.config import FleetSections

HOURS_PER_WEEK = MINUTES_PER_WEEK / MINUTES_PER_HOUR
# Weeks that the backtest foretells, one ahead each.
ORIGINS = 8


def history(sections: FleetSections, prepared: Prepared, *, roadside: bool | None = None) -> pl.DataFrame:
    """Weekly demand until the last window. roadside: of failures alone (True), of what was planned (False), or all.

    Of assets that each count their own hours of work there is none: they share no week.
    """
    if prepared.clock == "work":
        return pl.DataFrame(schema=DEMAND)
    events = prepared.events().filter(pl.col("kind") != ERROR)
    stays = events.select(
        arrived_min="time_min", roadside=pl.col("kind") == FAILURE, components=pl.concat_list("component")
    )
    work = _work(sections, prepared)
    skills = {one.skill for one in work.values()}
    return weekly(jobs_of_stays(stays, work, roadside=roadside), skills=skills, until_min=prepared.end_min)


def backtest(demand: pl.DataFrame, settings: DemandSettings) -> pl.DataFrame:
    """One week ahead, from each of the last weeks for which enough was known before; none of a shorter history."""
    origins = min(ORIGINS, _weeks(demand) - settings.least_weeks)
    if origins < 1:
        return pl.DataFrame(schema=BACKTEST)
    return rolling_origin(demand, dataclasses.replace(settings, horizon=1), origins=origins)


def foretold(sections: FleetSections, demand: pl.DataFrame) -> DemandForecast | None:
    """The weeks ahead; None where the history is too short to foretell."""
    return forecast_demand(demand, sections.demand) if _weeks(demand) >= sections.demand.least_weeks else None


def predicted(sections: FleetSections, prepared: Prepared, risks: RiskTable) -> pl.DataFrame:
    """PREDICTED: jobs of failures that the risks let expect in the weeks of their horizon, if no asset comes before.

    Beside the forecast, not in it: who is booked does not fail, and that is decided later.
    """
    weeks = math.floor(sections.predictor.days * sections.predictor.period_h / HOURS_PER_WEEK)
    if prepared.clock == "work" or weeks < 1:
        return pl.DataFrame(schema=PREDICTED)
    first = math.ceil(risks.issued_min / MINUTES_PER_WEEK)
    return predicted_jobs(risks, _work(sections, prepared), first_week=first, weeks=weeks)


def reserve(sections: FleetSections, prepared: Prepared, fleet: Fleet, *, first_day: int) -> dict[str, float]:
    """Skill → share of its minutes to keep for failures on the road; nothing where no forecast is possible."""
    forecast = foretold(sections, history(sections, prepared, roadside=True))
    if forecast is None:
        return {}
    week = float(fleet.opening_minutes(first_day, 7).sum())
    minutes = {skill: week * count for skill, count in fleet.workshop.technicians.items() if skill in forecast.skills}
    return forecast.reserve(minutes, quantile=sections.booking.reserve)


def figures(backtested: pl.DataFrame) -> dict[str, float | None]:
    """Errors of the forecasts against those of the last value, scaled alike, and how often the 80 % interval held."""
    if backtested.is_empty() or not (backtested["scale"] > 0).all():
        return {"demand_mase": None, "demand_mase_naive": None, "demand_coverage": None}
    actual, scale = backtested["actual"].to_numpy(), backtested["scale"].to_numpy()
    return {
        "demand_mase": mase(actual, backtested["median"].to_numpy(), scale),
        "demand_mase_naive": mase(actual, backtested["naive"].to_numpy(), scale),
        "demand_coverage": coverage(backtested),
    }


def _weeks(demand: pl.DataFrame) -> int:
    return int(demand["week"].max()) + 1 if len(demand) else 0  # type: ignore[arg-type]


def _work(sections: FleetSections, prepared: Prepared) -> dict[str, Work]:
    return {
        name: Work(component.skill, component.repair.average)
        for name, component in plan.repairs(sections, prepared).items()
    }
