"""What machines share: operators, vehicles and stocks of one line, and what of it a machine needs for a part."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import simpy

from twinloop.replication.streams import Streams
from twinloop.simulation.engine.depot import Depot
from twinloop.simulation.engine.entities import Part
from twinloop.simulation.engine.machines import Machine, Process
from twinloop.simulation.engine.materials import Stock
from twinloop.simulation.engine.operators import Staff
from twinloop.simulation.engine.transport import Dock, Fleet
from twinloop.simulation.engine.visits import Door
from twinloop.simulation.events.log import IDLE, STARVED, EventLog
from twinloop.simulation.model.distributions import durations
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.station import Station


class Needs:
    """What one machine gets for every part: materials first, then an operator, who stays until the work is done."""

    def __init__(self, station: str, stocks: Sequence[tuple[Stock, float]], staff: Staff | None) -> None:
        self._station, self._stocks, self._staff = station, stocks, staff
        self._operator: int | None = None

    def prepare(self, machine: Machine, part: Part) -> Process:
        """Wait until everything is there: starved without material, idle without an operator."""
        for stock, per_part in self._stocks:
            quantity = per_part * max(len(machine.batch), 1)
            missing = stock.take(quantity, station=machine.name)
            if missing is not None:
                yield from machine.wait(missing, STARVED, f"{quantity:g} of {stock.name}", part.number)
        if self._staff is not None:
            called = self._staff.call(self._station)
            if isinstance(called, simpy.Event):
                self._operator = yield from machine.wait(called, IDLE, "an operator", part.number)
            else:
                self._operator = called

    def release(self) -> None:
        """Let the operator go."""
        if self._staff is not None and self._operator is not None:
            self._staff.leave(self._operator)
            self._operator = None


@dataclass(frozen=True, eq=False)
class Resources:
    """The shared resources of a line that runs; their entities follow those of the machines."""

    env: simpy.Environment
    staff: Staff | None
    stocks: dict[str, Stock]
    fleet: Fleet | None

    @classmethod
    def of(cls, env: simpy.Environment, log: EventLog, line: Line, streams: Streams, *, first: int) -> Self:
        """Operators, vehicles and stocks, with entity numbers from `first` on."""
        day = line.minutes_per_day
        staff = Staff(env, log, first, line.operators, day=day) if line.operators else None
        first += sum(group.count for group in line.operators)
        fleet = None
        if line.transport:
            trip = durations(line.transport.trip, streams, "transport", "trip")
            fleet = Fleet(env, log, first, size=line.transport.fleet, trip=trip)
            first += line.transport.fleet
        stocks = {
            material.name: Stock(
                env,
                log,
                entity,
                material=material,
                lead=durations(material.lead_time, streams, material.name, "lead time") if material.lead_time else None,
            )
            for entity, material in enumerate(line.materials, start=first)
        }
        return cls(env, staff, stocks, fleet)

    def needs(self, station: Station) -> Needs | None:
        """What each machine of the station needs beside parts, None for nothing."""
        stocks = [(self.stocks[name], quantity) for name, quantity in station.materials.items()]
        staff = self.staff if self.staff and self.staff.runs(station.name) else None
        return Needs(station.name, stocks, staff) if stocks or staff else None

    def way_to(self, inlet: Door) -> Door | Dock:
        """What a machine before `inlet` puts its part into: itself, or the dock where vehicles carry it there."""
        return Dock(self.env, self.fleet, inlet) if self.fleet and isinstance(inlet, Depot) else inlet
