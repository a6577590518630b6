"""Machines as SimPy processes: take a part, work on it, pass it on, and wait where that is not possible.

`Machine` carries the mechanics; inspection and rework change what the work is and where the part goes.
Breakdowns need no interrupts: an operation knows beforehand whether it will be broken, and a calendar
breakdown of a waiting machine is settled when its wait ends (a part handed over meanwhile waits for the
repair). That keeps a part at about one event per station.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import simpy

from twinloop.simulation.engine.entities import Buffer, Part, Shipping
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.streams import ByPart, Streams
from twinloop.simulation.events.log import (
    ACCEPT,
    BLOCKED,
    DOWN,
    NO_PART,
    REINSPECT,
    REJECT,
    RUNNING,
    SCRAP,
    SETUP,
    STARVED,
    EventLog,
)
from twinloop.simulation.model.quality import Inspection, Rework
from twinloop.simulation.model.station import Station

Process = Generator[simpy.Event, Any, None]
NEVER = float("inf")
GOOD = 0


def _never() -> float:
    return NEVER


@dataclass(frozen=True, eq=False)
class Place:
    """Where a machine stands: its number in the log, the buffer it takes from and the one it puts into.

    factors: per variant, on the cycle time.
    """

    env: simpy.Environment
    log: EventLog
    streams: Streams
    entity: int
    inlet: Buffer
    outlet: Buffer | Shipping
    factors: tuple[float, ...]


class Machine:
    """One server of a station."""

    def __init__(self, place: Place, station: Station) -> None:
        self.env, self.log, self.entity = place.env, place.log, place.entity
        self.inlet, self.outlet, self._factors = place.inlet, place.outlet, place.factors
        self.name = self.log.entities[self.entity]
        self.state = STARVED
        self.waits_for = ""
        streams = place.streams
        self.cycle = streams.durations(self.name, "cycle", station.cycle)
        self.repair: Callable[[], float] = _never
        self.failure: Callable[[], float] = _never
        if station.failure and station.repair:
            self.failure = streams.durations(self.name, "failure", station.failure)
            self.repair = streams.durations(self.name, "repair", station.repair)
        self._calendar = station.failure is not None and station.failure_clock == "calendar"
        self._setup = streams.durations(self.name, "setup", station.setup) if station.setup else None
        self._variant: int | None = None
        self._left = self.failure()
        self._seen = 0.0
        self.env.process(self._run())

    def _run(self) -> Process:
        while True:
            part = self.inlet.take()
            if part is None:
                self.waits_for = f"a part from {self.inlet.name}"
                self.note(STARVED)
                part = yield self.inlet.arrival()
                if self._calendar:
                    yield from self._settle()
            if self._setup is not None and part.variant != self._variant:
                if self._variant is not None:
                    yield from self._work(self._setup(), SETUP, part)
                self._variant = part.variant
            yield from self._process(part)
            yield from self._pass_on(part)

    def note(self, state: int, part: int = NO_PART) -> None:
        """Log a change of state at the present moment."""
        self.state = state
        self.log.record(self.env.now, state, self.entity, part)

    def _process(self, part: Part) -> Process:
        yield from self._work(self.cycle() * self._factors[part.variant], RUNNING, part)

    def _pass_on(self, part: Part) -> Process:
        if not self.outlet.put(part):
            yield from self._wait_for_room(self.outlet, part)

    def _wait_for_room(self, place: Buffer | Shipping, part: Part, *, first: bool = False) -> Process:
        self.waits_for = f"room in {place}"
        self.note(BLOCKED, part.number)
        yield place.room(part, first=first)
        if self._calendar:
            yield from self._settle()

    def _work(self, minutes: float, state: int, part: Part) -> Process:
        self.note(state, part.number)
        wears = self._calendar or state == RUNNING
        while wears and self._left < minutes:
            yield self.env.timeout(self._left)
            minutes -= self._left
            self.note(DOWN, part.number)
            yield self.env.timeout(self.repair())
            self._left = self.failure()
            self.note(state, part.number)
        yield self.env.timeout(minutes)
        if wears:
            self._left -= minutes
        self._seen = self.env.now

    def _settle(self) -> Process:
        """Calendar breakdowns since the last work; waits for a repair that is still going on."""
        remaining = self.settle(self.env.now)
        if remaining > 0:
            self.state = DOWN
            yield self.env.timeout(remaining)
        self._seen = self.env.now

    def settle(self, now: float) -> float:
        """Log the calendar breakdowns of a wait that ends `now`; returns the minutes of repair still to come."""
        waiting, elapsed = self.state, now - self._seen
        while self._left < elapsed:
            start = now - elapsed + self._left
            end = start + self.repair()
            self.log.record(start, DOWN, self.entity)
            elapsed = now - end
            self._left = self.failure()
            if elapsed <= 0:
                return -elapsed
            self.log.record(end, waiting, self.entity)
        self._left -= elapsed
        return 0.0

    def finish(self, horizon: float) -> None:
        """Settle a wait that the horizon cuts."""
        if self._calendar and self.state in (STARVED, BLOCKED):
            self.settle(horizon)


class Inspector(Machine):
    """The camera: each cycle is one look; a part is accepted, looked at again, or rejected."""

    def __init__(
        self,
        place: Place,
        station: Station,
        *,
        gate: Gate,
        inspection: Inspection,
        rework: Rework | None,
        rework_queue: Buffer | None,
        latency_min: float,
    ) -> None:
        super().__init__(place, station)
        self._gate, self._inspection, self._latency_min = gate, inspection, latency_min
        self._rework, self._rework_queue = rework, rework_queue
        self._streams, self._noise = place.streams, list[ByPart]()

    def _process(self, part: Part) -> Process:
        for look in range(1, self._inspection.max_looks + 1):
            yield from self._work(self.cycle() * self._factors[part.variant] + self._latency_min, RUNNING, part)
            decision = self._decide(part)
            if decision == REINSPECT and look == self._inspection.max_looks:
                decision = REJECT if self._inspection.undecided == "reject" else ACCEPT
            self.log.record(self.env.now, decision, self.entity, part.number, part.condition)
            if decision != REINSPECT:
                part.rejected = decision == REJECT
                return

    def _decide(self, part: Part) -> int:
        gate, look = self._gate, part.looks
        while look >= len(self._noise):
            self._noise.append(self._streams.by_part(f"look {len(self._noise)}", "normal"))
        part.looks = look + 1
        z = gate.part_weight * part.difficulty + gate.look_weight * self._noise[look][part.number]
        if z < gate.accept_z[part.condition]:
            return ACCEPT
        return REJECT if z >= gate.reject_z[part.condition] else REINSPECT

    def _pass_on(self, part: Part) -> Process:
        if not part.rejected:
            yield from super()._pass_on(part)
            return
        rework, queue = self._rework, self._rework_queue
        if rework is not None and queue is not None and part.reworks < rework.max_times:
            if queue.put(part):
                return
            if rework.when_full == "wait":
                yield from self._wait_for_room(queue, part)
                return
        self.log.record(self.env.now, SCRAP, self.entity, part.number, part.condition)


class Repairer(Machine):
    """A rework place: may remove the defect, then sends the part back to be inspected again."""

    def __init__(self, place: Place, station: Station, *, success: tuple[float, ...]) -> None:
        super().__init__(place, station)
        self._success, self._streams, self._luck = success, place.streams, list[ByPart]()

    def _process(self, part: Part) -> Process:
        yield from super()._process(part)
        visit = part.reworks
        while visit >= len(self._luck):
            self._luck.append(self._streams.by_part(f"rework {len(self._luck)}", "uniform"))
        part.reworks = visit + 1
        if self._luck[visit][part.number] < self._success[part.condition]:
            part.condition = GOOD

    def _pass_on(self, part: Part) -> Process:
        if not self.outlet.put(part):
            yield from self._wait_for_room(self.outlet, part, first=True)
