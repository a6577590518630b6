"""What the workshop will be asked for: weekly minutes by skill, from the events of the assets and the risks of now."""

import math

import polars as pl

from twinloop.contracts import RiskTable
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.prognostics.data.record import ERROR, FAILURE
from twinloop.prognostics.demand.backtest import BACKTEST, coverage, mase, rolling_origin
from twinloop.prognostics.demand.expected import predicted_jobs, with_predicted
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
    until = float(prepared.table().time_min.max())
    skills = {one.skill for one in work.values()}
    return weekly(jobs_of_stays(stays, work, roadside=roadside), skills=skills, until_min=until)


def backtest(demand: pl.DataFrame, settings: DemandSettings) -> pl.DataFrame:
    """One week ahead, from each of the last weeks for which enough was known before; none of a shorter history."""
    origins = min(ORIGINS, _weeks(demand) - settings.least_weeks)
    if origins < 1:
        return pl.DataFrame(schema=BACKTEST)
    return rolling_origin(demand, _one_ahead(settings), origins=origins)


def foretold(
    sections: FleetSections, prepared: Prepared, demand: pl.DataFrame, risks: RiskTable | None = None
) -> DemandForecast | None:
    """The weeks ahead, with the jobs that the risks let expect; None where the history is too short to foretell."""
    if _weeks(demand) < sections.demand.least_weeks:
        return None
    forecast = forecast_demand(demand, sections.demand)
    if risks is None:
        return forecast
    share = 1.0 if risks.clock == "calendar" else plan.work_share(sections.fleet.fleet())
    weeks = min(2, math.floor(sections.predictor.days * sections.predictor.period_h / HOURS_PER_WEEK))
    if weeks < 1:
        return forecast
    jobs = predicted_jobs(
        risks,
        _work(sections, prepared),
        first_week=forecast.first_week,
        weeks=weeks,
        hours_per_week=HOURS_PER_WEEK * share,
    )
    return with_predicted(forecast, jobs)


def reserve(sections: FleetSections, prepared: Prepared, fleet: Fleet, *, first_day: int) -> dict[str, float]:
    """Skill → share of its minutes to keep for failures on the road; nothing where no forecast is possible."""
    forecast = foretold(sections, prepared, history(sections, prepared, roadside=True))
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


def _one_ahead(settings: DemandSettings) -> DemandSettings:
    return DemandSettings(method=settings.method, horizon=1, season=settings.season, least_weeks=settings.least_weeks)


def _work(sections: FleetSections, prepared: Prepared) -> dict[str, Work]:
    return {
        name: Work(component.skill, component.repair.average)
        for name, component in plan.repairs(sections, prepared).items()
    }
