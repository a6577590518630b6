"""Giving a maintenance policy to a station, or to all of a line that can be maintained."""

import dataclasses
from typing import Any, TypeVar

from twinloop.config import Invalid, parse
from twinloop.errors import InputError
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.maintenance import Maintenance
from twinloop.simulation.model.predictor import Predictor
from twinloop.simulation.model.station import Station

Maintained = TypeVar("Maintained", Line, Station)
# What stays when the policy changes.
KEPT = ("duration", "restoration")


def with_policy(maintained: Maintained, policy: str, **settings: Any) -> Maintained:
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
    kept = {name: value for name, value in dataclasses.asdict(maintained.maintenance).items() if name in KEPT}
    plain = {**kept, "policy": policy, **{name: _plain(value) for name, value in settings.items()}}
    try:
        return dataclasses.replace(maintained, maintenance=parse(Maintenance, plain))
    except Invalid as error:
        raise InputError(f"maintenance: {maintained.name}: {error}") from None


def _plain(value: Any) -> Any:
    return dataclasses.asdict(value) if isinstance(value, Predictor) else value
