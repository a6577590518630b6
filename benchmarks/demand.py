"""Demand for `benchmarks/prognostics.py`: forecasts of a simulated workshop's weeks, held against what came.

Each fleet is a standard one of 100 vehicles over three years, with its seasons of duty, maintained at a fixed interval.
From twelve origins, four weeks apart, four weeks are forecast; nothing behind an origin is known. `_two_weeks` are the
first two of them; `_predicted` the same with the jobs that risks let expect, here by nothing but the ages of all parts
in service and the lives that had ended before the origin (Weibull, renewals of any reason). `_prophet` is measured
where the extra is installed; on the first fleet it scored 0.80, exponential smoothing 0.72.
"""

from importlib.util import find_spec

import numpy as np
import polars as pl

from twinloop.contracts import RiskTable
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.prognostics.demand import (
    DemandSettings,
    Work,
    coverage,
    forecast_demand,
    jobs_of_stays,
    mase,
    predicted_jobs,
    rolling_origin,
    weekly,
    with_predicted,
)
from twinloop.prognostics.demand.history import MINUTES_PER_WEEK
from twinloop.prognostics.models.weibull import fit_weibull
from twinloop.simulation.fleet.history import FleetHistory, simulate_history
from twinloop.simulation.fleet.standard import StandardFleet

VEHICLES, DAYS, ORIGINS, STEP = 100, 3 * 364, 12, 4
METHODS = {"": "ets", "_naive": "last value", "_seasonal_naive": "seasonal naive", "_stl": "stl"}
WEEK_H = MINUTES_PER_WEEK / MINUTES_PER_HOUR


def measured(*, seed: int) -> dict[str, float]:
    """Scaled errors of the median and coverage of the 80 % interval, over skills, origins and weeks of one fleet."""
    history = simulate_history(StandardFleet(vehicles=VEHICLES).fleet(), days=DAYS, seed=seed)
    work = {one.name: Work(one.skill, one.repair.average) for one in history.fleet.components}
    jobs = jobs_of_stays(history.workshop, work)
    demand = weekly(jobs, skills=history.fleet.workshop.technicians, until_min=DAYS * 1440.0)
    figures = {}
    for name, method in (METHODS | ({"_prophet": "prophet"} if find_spec("prophet") else {})).items():
        settings = DemandSettings(method=method)  # type: ignore[arg-type]
        told = rolling_origin(demand, settings, origins=ORIGINS, step=STEP)
        figures[f"demand_mase{name}"] = scaled(told)
        if not name:
            figures["demand_coverage"] = coverage(told)
            figures["demand_mase_two_weeks"] = scaled(told.filter(pl.col("week") < pl.col("origin") + 2))
            known = [predicted(history, demand, work, origin) for origin in told["origin"].unique()]
            better = told.drop("low", "median", "high").join(pl.concat(known), on=["skill", "week", "origin"])
            figures["demand_mase_predicted"] = scaled(better)
            figures["demand_coverage_predicted"] = coverage(better)
    return figures


def scaled(told: pl.DataFrame) -> float:
    """MASE of the median."""
    return mase(*(told[name].to_numpy() for name in ("actual", "median", "scale")))


def predicted(history: FleetHistory, demand: pl.DataFrame, work: dict[str, Work], origin: int) -> pl.DataFrame:
    """The two weeks from an origin on, by the weeks before it and by the ages of parts."""
    jobs = predicted_jobs(risks(history, origin * MINUTES_PER_WEEK), work, first_week=origin)
    forecast = forecast_demand(demand.filter(pl.col("week") < origin), DemandSettings(horizon=2))
    frame = with_predicted(forecast, jobs).frame
    return frame.select("skill", "week", "low", "median", "high", origin=pl.lit(origin, pl.Int64))


def risks(history: FleetHistory, now_min: float) -> RiskTable:
    """Probability that a part in service is renewed within one and two weeks, given its age."""
    known = history.lives.filter(pl.col("begin_min") < now_min).with_columns(
        age_h=(pl.min_horizontal("end_min", now_min) - pl.col("begin_min")) / MINUTES_PER_HOUR,
        ended=pl.col("end_min") <= now_min,
    )
    parts = []
    for (component,), own in known.filter(pl.col("age_h") > 0).group_by("component", maintain_order=True):
        law = fit_weibull(own["age_h"].to_numpy(), own["ended"].to_numpy())
        serving = own.filter(~pl.col("ended"))
        weeks = law.hazard(serving["age_h"].to_numpy(), days=2, period_h=WEEK_H)
        for count, chance in ((1, weeks[:, 0]), (2, 1 - (1 - weeks).prod(axis=1))):
            parts.append(
                serving.select(
                    "asset",
                    pl.lit(component).alias("component"),
                    horizon_hours=pl.lit(count * WEEK_H),
                    probability=pl.Series(np.clip(chance, 0, 1)),
                ).with_columns(low="probability", high="probability", severity=pl.lit(5, pl.Int64), cost=pl.lit(0.0))
            )
    return RiskTable.of(pl.concat(parts), issued_min=now_min, clock="calendar")
