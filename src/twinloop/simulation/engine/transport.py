"""Vehicles that carry parts from station to station: a machine keeps its part until a vehicle takes it.

Room at the next station is promised first, then a vehicle is called; whoever waits for one first gets it first.
A vehicle is an entity of the log like a machine: running with its part, else idle.
"""

import heapq
from collections import deque
from collections.abc import Callable

import simpy

from twinloop.simulation.engine.depot import Depot
from twinloop.simulation.engine.entities import Part
from twinloop.simulation.events.log import IDLE, RUNNING, EventLog


class Fleet:
    """`size` vehicles, entities from number `first` on; the free one with the lowest number goes."""

    def __init__(
        self, env: simpy.Environment, log: EventLog, first: int, *, size: int, trip: Callable[[], float]
    ) -> None:
        self._env, self._log, self._trip = env, log, trip
        self.free = list(range(first, first + size))
        self._calls: deque[Callable[[int], None]] = deque()
        for vehicle in self.free:
            log.record(env.now, IDLE, vehicle)

    def call(self, go: Callable[[int], None]) -> None:
        """Have `go` done with a vehicle as soon as one is free."""
        if self.free:
            go(heapq.heappop(self.free))
        else:
            self._calls.append(go)

    def carry(self, vehicle: int, part: Part, place: Depot) -> None:
        """Start the trip of a part to a place that has promised room for it."""
        self._log.record(self._env.now, RUNNING, vehicle, part.number)
        trip: simpy.Event = self._env.timeout(self._trip())
        _when(trip, lambda _: self._arrive(vehicle, part, place))

    def depart(self, part: Part, place: Depot) -> bool:
        """Start the trip now, or return False when there is no room, or no vehicle."""
        if not self.free or not place.promise(part):
            return False
        self.carry(heapq.heappop(self.free), part, place)
        return True

    def _arrive(self, vehicle: int, part: Part, place: Depot) -> None:
        place.bring(part)
        if self._calls:
            self._calls.popleft()(vehicle)
        else:
            self._log.record(self._env.now, IDLE, vehicle)
            heapq.heappush(self.free, vehicle)


class Dock:
    """The way to a buffer by vehicle: to a machine it is an outlet like the buffer itself."""

    __slots__ = ("_env", "_fleet", "entity", "name", "place")

    def __init__(self, env: simpy.Environment, fleet: Fleet, place: Depot) -> None:
        self._env, self._fleet, self.place = env, fleet, place
        self.entity, self.name = place.entity, place.name

    def admits(self, part: Part) -> bool:
        """Whether there is room for the part where it goes."""
        return self.place.admits(part)

    def put(self, part: Part) -> bool:
        """Send the part off, or return False when there is no room, or no vehicle."""
        return self._fleet.depart(part, self.place)

    def room(self, part: Part, *, first: bool = False) -> simpy.Event:
        """An event that fires when a vehicle has taken the part."""
        taken = self._env.event()

        def leave(vehicle: int) -> None:
            self._fleet.carry(vehicle, part, self.place)
            taken.succeed()

        if self.place.promise(part):
            self._fleet.call(leave)
        else:
            _when(self.place.promised_room(part, first=first), lambda _: self._fleet.call(leave))
        return taken

    def __str__(self) -> str:
        return str(self.place)


def _when(event: simpy.Event, act: Callable[[simpy.Event], None]) -> None:
    if event.callbacks is not None:
        event.callbacks.append(act)
