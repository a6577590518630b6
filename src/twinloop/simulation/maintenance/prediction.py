"""From a RiskTable and an AlertCurve to the predictive policy of each station: at which score to act, if at all.

The threshold is the one of least expected cost per month of work: missed failures cost what the risk table says, every
alert, right or wrong, costs a maintenance (the same weighing as that of an inspection's threshold).
"""

import dataclasses
from typing import Any

from twinloop.contracts import AlertCurve, RiskTable
from twinloop.contracts.clock import check_clock
from twinloop.errors import unknown
from twinloop.simulation.maintenance.policies import with_policy
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.entities import entities
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.predictor import Predictor


def predictor_of(alerts: AlertCurve) -> Predictor:
    """The curve at its operating point, with all its draws. Raises InputError for one of calendar hours."""
    check_clock("predictor", alerts.clock, expected="work", remedy="machines wear by the hours that they work")
    draws = range(alerts.draws + 1)
    by_life: dict[str, Any] = {}
    if (own := alerts.by_life) is not None:
        by_life = {
            "life_hours": tuple(tuple(row) for row in own.life_hours.tolist()),
            "lead_shares": tuple(tuple(alerts.interpolated(rows).tolist()) for rows in own.lead_share),
            "dependence": tuple(float(alerts.interpolated(row)) for row in own.dependence),
        }
    return Predictor(
        recall=tuple(alerts.recall_at(draw=draw) for draw in draws),
        lead_levels=tuple(alerts.lead_levels.tolist()),
        lead_hours=tuple(tuple(alerts.lead_at(draw=draw).tolist()) for draw in draws),
        false_alarms_per_hour=tuple(alerts.false_alarms_at(draw=draw) / alerts.hours_per_month for draw in draws),
        **by_life,
    )


def best_threshold(risks: RiskTable, alerts: AlertCurve, asset: str, *, maintenance_cost: float) -> float | None:
    """The alert threshold of least expected cost for one asset; None where ignoring every alert is cheaper.

    Raises InputError for an asset that the risk table does not have, and for a table and a curve of two clocks.
    """
    check_clock("risk table", risks.clock, expected=alerts.clock, remedy="give both by the clock of the alert curve")
    failures, failure_cost = risks.failures(asset, hours=alerts.hours_per_month)
    recall, false_alarms = alerts.recall[0], alerts.false_alarms[0]
    cost = (1 - recall) * failure_cost + (recall * failures + false_alarms) * maintenance_cost
    best = int(cost.argmin())
    return float(alerts.thresholds[best]) if cost[best] < failure_cost else None


def with_prediction(line: Line, risks: RiskTable, alerts: AlertCurve, *, economy: Economy) -> Line:
    """The line with the predictive policy at every station that wears and can be maintained, each at its threshold.

    A station of several machines goes by its first. One where no alert is worth a maintenance (`economy.maintenance`)
    runs to failure. Raises InputError when the table names a machine that the line does not have, or lacks one.
    """
    machines = entities(line)[1:]
    foreign = [asset for asset in risks.assets if asset not in machines]
    if foreign:
        raise unknown("maintenance: risk table: asset", foreign[0], machines)
    stations, first = [], 0
    for station in line.stations:
        if station.wear and station.maintenance:
            threshold = best_threshold(risks, alerts, machines[first], maintenance_cost=economy.maintenance)
            if threshold is None:
                station = with_policy(station, "failure")
            else:
                station = with_policy(station, "predictive", predictor=predictor_of(alerts.at(threshold)))
        stations.append(station)
        first += station.servers
    return dataclasses.replace(line, stations=tuple(stations))
