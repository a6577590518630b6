"""When to maintain one machine of the line: its wear simulated, a predictor learnt from its sensors, policies compared.

The predictor is as simple as a plant's first one: an alarm on vibration. Its misses and false alarms are counted on
a run that the comparison does not use, and decide with the risks of that run at which vibration to act.
"""

import dataclasses
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from twinloop.config import settings
from twinloop.contracts import AlertCurve, OperatingCurve, RiskTable, Telemetry
from twinloop.errors import InputError, unknown
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.prognostics.evaluation.alerts import alert_curve
from twinloop.simulation.degradation.history import histories, watched_lives
from twinloop.simulation.degradation.risks import risk_table
from twinloop.simulation.degradation.sensors import telemetry
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.run import simulate
from twinloop.simulation.experiments.settings import MOST_DAYS
from twinloop.simulation.maintenance.comparison import PolicyComparison, compare_policies
from twinloop.simulation.maintenance.policies import with_policy
from twinloop.simulation.maintenance.prediction import with_prediction
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.maintenance import Maintenance
from twinloop.simulation.model.names import Name, Probability
from twinloop.simulation.model.physics import Physics
from twinloop.simulation.model.wear import Wear

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
THRESHOLDS = 25
DRAWS = 40
SHIFT_HOURS = 8.0
# Far from the replications that are compared: what the predictor learnt from is not what it is judged by.
LEARNING_REPLICATION = 1_000_000
# What is compared besides the predictive policy: title → policy, and which of MaintenanceSettings its settings are.
COMPARED: dict[str, tuple[str, dict[str, str]]] = {
    "fixed interval": ("interval", {"interval_min": "interval_min"}),
    "condition": ("condition", {"interval_min": "look_min", "health_below": "health_below"}),
    "opportunistic": ("opportunistic", {"health_below": "opportunity_below"}),
}


@settings
class MaintenanceSettings:
    """One station's wear in place of its failures, and the policies that are compared on it.

    duration: minutes of one maintenance. interval_min: minutes of work, fixed interval. look_min, health_below:
    condition-based, looked at every so many minutes of work. opportunity_below: opportunistic.
    window_hours: a failure is foreseen when the alarm comes within so many hours of work before it.
    learning_days: the run to failure that the predictor learns from. failure_cost, maintenance_cost: euro each,
    besides the hours of repair.
    """

    station: Name
    wear: Wear
    duration: Distribution
    interval_min: Positive
    look_min: Positive
    health_below: Probability
    opportunity_below: Probability
    physics: Physics = Physics()
    window_hours: Positive = 1.0
    learning_days: Annotated[float, Field(gt=0, le=MOST_DAYS)] = 20.0
    failure_cost: NotNegative = 0.0
    maintenance_cost: NotNegative = 0.0
    days: Annotated[float, Field(gt=0, le=MOST_DAYS)] = 3.0
    warmup_days: Annotated[float, Field(ge=0, le=MOST_DAYS)] = 0.25
    replications: Annotated[int, Field(ge=2, le=1_000_000)] = 20


@dataclass(frozen=True, eq=False)
class Study:
    """The comparison, and what was learnt on the way: risks, the predictor's alerts, the sensors it was learnt from."""

    policies: PolicyComparison
    risks: RiskTable
    alerts: AlertCurve
    telemetry: Telemetry


def study(
    line: Line,
    settings: MaintenanceSettings,
    *,
    economy: Economy,
    curve: OperatingCurve | None = None,
    seed: int = 1,
    confidence: float = 0.95,
    workers: int = 1,
) -> Study:
    """Learn and compare. Raises InputError for a station that does not exist or is never repaired."""
    worn = _worn(line, settings)
    priced = dataclasses.replace(economy, failure=settings.failure_cost, maintenance=settings.maintenance_cost)
    risks, alerts, sensors = _learnt(worn, settings, priced, curve, seed=seed)
    compared = compare_policies(
        worn,
        _policies(worn, settings) | {"predictive": with_prediction(worn, risks, alerts, economy=priced)},
        curve=curve,
        economy=priced,
        days=settings.days,
        warmup_days=settings.warmup_days,
        replications=settings.replications,
        confidence=confidence,
        seed=seed,
        workers=workers,
    )
    return Study(compared, risks, alerts, sensors)


def _policies(line: Line, settings: MaintenanceSettings) -> dict[str, Line]:
    """The line under every policy of COMPARED."""
    return {
        title: with_policy(line, policy, **{name: getattr(settings, field) for name, field in fields.items()})
        for title, (policy, fields) in COMPARED.items()
    }


def _worn(line: Line, settings: MaintenanceSettings) -> Line:
    names = [station.name for station in line.stations]
    if settings.station not in names:
        raise unknown("MaintenanceSettings.station", settings.station, names)
    station = line.stations[names.index(settings.station)]
    if station.repair is None:
        raise InputError(
            f"MaintenanceSettings.station: {station.name} has no repair time: give it one, or study another station"
        )
    worn = dataclasses.replace(
        station,
        failure=None,
        failure_clock="operation",
        wear=settings.wear,
        maintenance=Maintenance(policy="failure", duration=settings.duration),
    )
    return dataclasses.replace(
        line, stations=tuple(worn if station.name == worn.name else station for station in line.stations)
    )


def _learnt(
    line: Line, settings: MaintenanceSettings, economy: Economy, curve: OperatingCurve | None, *, seed: int
) -> tuple[RiskTable, AlertCurve, Telemetry]:
    gate = Gate.of(line.inspection.curve(curve))
    minutes = settings.learning_days * line.minutes_per_day
    log = simulate(line, gate, seed=seed, replication=LEARNING_REPLICATION, minutes=minutes)
    worn = [h for h in histories(line, log, seed=seed, replication=LEARNING_REPLICATION) if h.lives]
    sensors = telemetry(line, log, settings.physics, seed=seed, replication=LEARNING_REPLICATION)
    lives, scores = [], []
    for history in worn:
        shown = sensors.of_asset(history.asset)
        score = shown["vibration"].to_numpy().astype(np.float64)
        scores.append(score)
        lives += watched_lives(history, shown["time_min"].to_numpy(), score)
    values = np.concatenate(scores)
    alerts = alert_curve(
        lives,
        thresholds=np.linspace(np.quantile(values, 0.5), values.max(), THRESHOLDS),
        window_hours=settings.window_hours,
        model="vibration",
        draws=DRAWS,
        seed=seed,
    )
    station = next(station for station in line.stations if station.wear)
    repair_hours = station.repair.average / MINUTES_PER_HOUR if station.repair else 0.0
    risks = risk_table(
        worn,
        # Short ones: over a month a failure is certain, and a certain failure says nothing of how many there are.
        horizons_hours=(settings.window_hours, SHIFT_HOURS),
        cost=economy.failure + economy.repair_hour * repair_hours,
    )
    return risks, alerts, sensors
