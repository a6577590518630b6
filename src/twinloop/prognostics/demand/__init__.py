"""Demand of the workshop per skill and week: history, forecast, what risks add to it, and the reserve."""

from twinloop.prognostics.demand.backtest import coverage, mase, rolling_origin
from twinloop.prognostics.demand.expected import predicted_jobs, with_predicted
from twinloop.prognostics.demand.forecast import DemandForecast, forecast_demand
from twinloop.prognostics.demand.history import Work, jobs_of_stays, weekly
from twinloop.prognostics.demand.settings import DemandSettings

__all__ = [
    "DemandForecast",
    "DemandSettings",
    "Work",
    "coverage",
    "forecast_demand",
    "jobs_of_stays",
    "mase",
    "predicted_jobs",
    "rolling_origin",
    "weekly",
    "with_predicted",
]
