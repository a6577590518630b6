"""When to maintain one machine of the line: its wear simulated, its failures foreseen from sensors, policies compared.

The predictor learns from runs to failure and is judged in fresh ones, neither of which the comparison uses. How many
failures there are was counted in the fresh ones; with its misses and false alarms that decides at which probability to
act. What it says of the machine as it stands at the end of the last fresh run is the RiskTable.
"""

import dataclasses
from dataclasses import dataclass

from twinloop.contracts import AlertCurve, OperatingCurve, RiskTable, Telemetry
from twinloop.errors import InputError, unknown
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.simulation.degradation.risks import risk_table
from twinloop.simulation.maintenance.comparison import PolicyComparison, compare_policies
from twinloop.simulation.maintenance.foresight import Foresight
from twinloop.simulation.maintenance.policies import with_policy
from twinloop.simulation.maintenance.prediction import best_threshold, with_prediction
from twinloop.simulation.maintenance.settings import MaintenanceSettings
from twinloop.simulation.maintenance.watching import foreseen
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.maintenance import Maintenance

SHIFT_HOURS = 8.0
PREDICTIVE = "predictive"
# What is compared besides the predictive policy: title → policy, and which of MaintenanceSettings its settings are.
COMPARED: dict[str, tuple[str, dict[str, str]]] = {
    "fixed interval": ("interval", {"interval_min": "interval_min"}),
    "condition": ("condition", {"interval_min": "look_min", "health_below": "health_below"}),
    "opportunistic": ("opportunistic", {"health_below": "opportunity_below"}),
}


@dataclass(frozen=True, eq=False)
class Study:
    """The comparison, and the predictor: what it says now, what of its alerts is right, and what the sensors showed.

    risks: of the machine at the end of `telemetry`, a run that the predictor did not learn from. alerts: at the
    threshold that the policy acts from.
    """

    policies: PolicyComparison
    foresight: Foresight
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
    foresight, fresh = foreseen(worn, settings.physics, settings.foresight, seed=seed, curve=curve)
    alerts = foresight.alerts([life for run in fresh for life in run.all_lives], seed=seed)
    cost = _failure_cost(worn, priced)
    counted = risk_table(
        [machine for run in fresh for machine in run.machines],
        # Short ones: over a month a failure is certain, and a certain failure says nothing of how many there are.
        horizons_hours=(settings.foresight.window_hours, SHIFT_HOURS),
        cost=cost,
    )
    compared = compare_policies(
        worn,
        _policies(worn, settings) | {PREDICTIVE: with_prediction(worn, counted, alerts, economy=priced)},
        curve=curve,
        economy=priced,
        days=settings.days,
        warmup_days=settings.warmup_days,
        replications=settings.replications,
        confidence=confidence,
        seed=seed,
        workers=workers,
    )
    now = fresh[-1]
    risks = foresight.risks(now.standing, cost=cost, issued_min=now.machines[0].horizon)
    threshold = best_threshold(counted, alerts, now.machines[0].asset, maintenance_cost=priced.maintenance)
    # Where no alarm is worth a maintenance it is the highest one, which is never reached.
    used = alerts.at(float(alerts.thresholds[-1]) if threshold is None else threshold)
    return Study(compared, foresight, risks, used, now.telemetry)


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


def _failure_cost(line: Line, economy: Economy) -> float:
    """Euro of one failure, the hours of its repair included."""
    station = next(station for station in line.stations if station.wear)
    repair_hours = station.repair.average / MINUTES_PER_HOUR if station.repair else 0.0
    return economy.failure + economy.repair_hour * repair_hours
