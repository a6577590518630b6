"""Policies: giving one to a line, and when it acts in a life, told at the life's beginning.

The path of a life is drawn whole, so every policy is one number: the age from which maintenance is due. What a policy
may know of the path is in its formula: an interval nothing, a condition the health at its inspections, a predictor the
failure through its recall, lead times and false alarms, the oracle everything.
"""

import dataclasses
import math
from typing import Any, TypeVar

import numpy as np

from twinloop.config import Invalid, parse
from twinloop.errors import InputError
from twinloop.simulation.degradation.path import WearPath
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.maintenance import SETTINGS, Maintenance, Policy, Predictor
from twinloop.simulation.model.station import Station

MINUTES_PER_HOUR = 60
NEVER = math.inf
Maintained = TypeVar("Maintained", Line, Station)


def due_age(maintenance: Maintenance | None, path: WearPath, rng: np.random.Generator, *, draw: int = 0) -> float:
    """Minutes of work from which on the machine is to be maintained in this life; infinite for never.

    draw: which draw of the predictor holds. An opportunistic policy waits from then on for its opportunity.
    """
    if maintenance is None or maintenance.policy == "failure":
        return NEVER
    if maintenance.policy == "oracle":
        return path.life_min
    if maintenance.predictor is not None:
        return alert_age(maintenance.predictor, path.life_min, rng, draw=draw)
    if maintenance.health_below is None:
        return maintenance.interval_min or NEVER
    worn = path.age_below(maintenance.health_below)
    if maintenance.interval_min is None:
        return worn
    inspections = np.arange(maintenance.interval_min, path.life_min, maintenance.interval_min, dtype=np.float64)
    bad = inspections[path.health(inspections) <= maintenance.health_below]
    return float(bad[0]) if len(bad) else NEVER


def alert_age(predictor: Predictor, life_min: float, rng: np.random.Generator, *, draw: int = 0) -> float:
    """The age of the first alert in a life: before its failure, if that is not missed, or a false one."""
    hit, quantile, wait = rng.random(), rng.random(), rng.exponential()
    rate = predictor.false_alarms_per_hour[draw] / MINUTES_PER_HOUR
    false_alarm = wait / rate if rate > 0 else NEVER
    if hit >= predictor.recall[draw]:
        return false_alarm
    lead = MINUTES_PER_HOUR * float(np.interp(quantile, predictor.lead_levels, predictor.lead_hours[draw]))
    return min(false_alarm, max(life_min - lead, 0.0))


def with_policy(maintained: Maintained, policy: Policy, **settings: Any) -> Maintained:
    """A station, or all of a line that wear and can be maintained, under another policy with its settings.

    Duration and restoration of the maintenance stay. Raises InputError where there is none, and for settings that the
    policy does not take.
    """
    if isinstance(maintained, Line):
        stations = [
            with_policy(station, policy, **settings) if station.maintenance else station
            for station in maintained.stations
        ]
        if not any(station.maintenance for station in stations):
            raise InputError(f"maintenance: {maintained.name} has no station with wear and maintenance: describe one")
        return dataclasses.replace(maintained, stations=tuple(stations))
    if maintained.maintenance is None:
        raise InputError(f"maintenance: station {maintained.name} has no maintenance: give it one with a duration")
    plain = dataclasses.asdict(maintained.maintenance)
    plain |= {"policy": policy, **dict.fromkeys(SETTINGS), **{name: _plain(value) for name, value in settings.items()}}
    try:
        return dataclasses.replace(maintained, maintenance=parse(Maintenance, plain))
    except Invalid as error:
        raise InputError(f"maintenance: {maintained.name}: {error}") from None


def _plain(value: Any) -> Any:
    return dataclasses.asdict(value) if isinstance(value, Predictor) else value
