"""Demand for `benchmarks/prognostics.py`: forecasts of a simulated workshop's weeks, held against what came.

Each fleet is a standard one of 100 vehicles over three years, with its seasons of duty, maintained at a fixed interval.
From twelve origins, four weeks apart, four weeks are forecast; nothing behind an origin is known. A forecast with
predicted jobs knows how old every part is, and what the lives that ended before the origin say of such an age (Weibull,
fitted at each origin), for the two weeks ahead.
"""

import polars as pl

from twinloop.prognostics.demand import DemandSettings, Work, coverage, jobs_of_stays, mase, rolling_origin, weekly
from twinloop.simulation.fleet.history import FleetHistory, simulate_history
from twinloop.simulation.fleet.standard import StandardFleet

VEHICLES, DAYS, ORIGINS, STEP = 100, 3 * 364, 12, 4
METHODS = {"": "ets", "_naive": "last value", "_seasonal_naive": "seasonal naive", "_stl": "stl"}


def measured(*, seed: int) -> dict[str, float]:
    """Scaled errors of the median and coverage of the 80 % interval, over skills, origins and weeks of one fleet."""
    history = simulate_history(StandardFleet(vehicles=VEHICLES).fleet(), days=DAYS, seed=seed)
    demand = weeks(history)
    figures = {}
    for name, method in METHODS.items():
        settings = DemandSettings(method=method)  # type: ignore[arg-type]
        told = rolling_origin(demand, settings, origins=ORIGINS, step=STEP)
        figures[f"demand_mase{name}"] = scaled(told)
        if not name:
            figures["demand_coverage"] = coverage(told)
    return figures


def weeks(history: FleetHistory) -> pl.DataFrame:
    """The fleet's demand by skill and week."""
    work = {one.name: Work(one.skill, one.repair.average) for one in history.fleet.components}
    jobs = jobs_of_stays(history.workshop, work)
    return weekly(jobs, skills=history.fleet.workshop.technicians, until_min=history.record.world.days * 1440.0)


def scaled(told: pl.DataFrame) -> float:
    """MASE of the median."""
    return mase(*(told[name].to_numpy() for name in ("actual", "median", "scale")))
