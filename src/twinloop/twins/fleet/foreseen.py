"""What the predictor foresees now: risks, hours left and diagnoses, what is unusual, and what will be asked for."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from twinloop.contracts import Diagnosis, RiskTable
from twinloop.prognostics.anomaly import anomalies, fit_detector, open_isolation
from twinloop.prognostics.demand.forecast import FORECAST
from twinloop.prognostics.inference.remaining import remaining_life
from twinloop.prognostics.inference.risks import Asked, asked, diagnoses, risk_table
from twinloop.prognostics.models.hazard import HazardModel
from twinloop.prognostics.models.table import FeatureTable, in_service
from twinloop.prognostics.prepared import Prepared
from twinloop.twins.fleet import demand, paths, plan
from twinloop.twins.fleet.config import AnomalySettings, FleetSections
from twinloop.twins.fleet.judged import Trial

ISOLATION = "isolation forest"
SCORES = {
    "asset": pl.String,
    "component": pl.String,
    "time_min": pl.Float64,
    "probability": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}


class Now(NamedTuple):
    """Of all assets in service at their last window: risks, diagnoses, and hours left of each component."""

    risks: RiskTable
    diagnoses: tuple[Diagnosis, ...]
    remaining: pl.DataFrame


class Shown(NamedTuple):
    """Of the shown assets: risks and diagnoses at their last window, what was said at every window, hours left."""

    risks: RiskTable
    diagnoses: tuple[Diagnosis, ...]
    scores: pl.DataFrame
    remaining: pl.DataFrame
    anomalies: pl.DataFrame


def now(sections: FleetSections, trial: Trial) -> Now:
    """Of the assets in service; where all have failed, as in a record of engines run to failure, what was said last."""
    driving = in_service(trial.table, trial.lives)
    table = trial.table.of_units(driving) if len(driving) else trial.table
    told = asked(trial.model, table, trial.lives)
    consequences = plan.consequences(sections, trial.prepared)
    return Now(
        risk_table(told, consequences, clock=trial.prepared.clock),
        diagnoses(told, consequences, least=sections.evaluate.least),
        remaining_life(told),
    )


def shown(sections: FleetSections, prepared: Prepared, model: HazardModel, root: Path) -> Shown:
    """Of the assets that pages show, each window asked about once."""
    table, lives = prepared.table(shown=True), prepared.lives(shown=True)
    consequences = plan.consequences(sections, prepared)
    told = asked(model, table, lives, np.arange(len(table)))
    return Shown(
        risks=risk_table(told.last, consequences, clock=prepared.clock),
        diagnoses=diagnoses(told.last, consequences, least=sections.evaluate.least),
        scores=_scores(told),
        remaining=remaining_life(told.last),
        anomalies=_anomalies(sections.anomaly, table, root),
    )


def demand_ahead(fleet: FleetSections, prepared: Prepared) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The backtest, and beneath its weeks those ahead, of which the actual demand is null."""
    past = demand.history(fleet, prepared)
    backtested = demand.backtest(past, fleet.demand)
    forecast = demand.foretold(fleet, past)
    ahead = forecast.frame if forecast is not None else pl.DataFrame(schema=FORECAST)
    columns = [pl.col(name) for name in FORECAST]
    shown = [
        backtested.select(*columns, "actual"),
        ahead.select(*columns, pl.lit(None, pl.Float64).alias("actual")),
    ]
    return backtested, pl.concat(shown).sort("skill", "week")


def _anomalies(settings: AnomalySettings, table: FeatureTable, root: Path) -> pl.DataFrame:
    """What each detector says of every window; those of single sensors see them load-normalised."""
    sensors = tuple(name for name in table.columns if name.endswith(".relative"))
    detectors = {
        ISOLATION: open_isolation(root / paths.ANOMALY),
        "rolling threshold": fit_detector("rolling threshold", table, settings.rolling, columns=sensors),
        "novelty": fit_detector("novelty", table, settings.novelty, columns=sensors),
    }
    return anomalies(table, detectors)


def _scores(told: Asked) -> pl.DataFrame:
    """The probability of failure within the horizon at every row that was asked about, with its interval."""
    table, parts = told.table, [pl.DataFrame(schema=SCORES)]
    for name, members in told.members.items():
        said = told.model.foretold(name, members)
        columns = {
            "asset": np.array(table.assets)[table.unit[told.rows]],
            "component": np.repeat(name, len(told.rows)),
            "time_min": table.time_min[told.rows],
            "probability": said.probability[:, -1],
            "low": said.low[:, -1],
            "high": said.high[:, -1],
        }
        parts.append(pl.DataFrame(columns, schema=SCORES))
    return pl.concat(parts)
