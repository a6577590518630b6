"""Machines as SimPy processes: take a part, work on it, pass it on, and wait where that is not possible.

`Machine` carries the mechanics; inspection and rework change what the work is and where the part goes.
Breakdowns need no interrupts: an operation knows beforehand whether it will be broken, and a calendar
breakdown of a waiting machine is settled when its wait ends: a part handed over meanwhile waits for the
repair, which the line's crew, if it has one, starts only then, as nobody missed the machine before.
That keeps a part at about one event per station.

Tie rule: events of the same minute happen by (time, priority, arrival, id), as in SimPy: processes start first, the
machines in their order (operators' shifts before them, the source after them); then what was scheduled first happens
first. A part or room that somebody waits for is an event of its own, scheduled when it is given.
"""

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol

import simpy

from twinloop.replication.streams import Streams
from twinloop.simulation.engine.crew import RepairCrew
from twinloop.simulation.engine.entities import Buffer, Part, Shipping
from twinloop.simulation.engine.transport import Dock
from twinloop.simulation.engine.visits import Door
from twinloop.simulation.events.log import (
    BLOCKED,
    DOWN,
    IDLE,
    NO_PART,
    NOTHING,
    RUNNING,
    SETUP,
    STARVED,
    EventLog,
)
from twinloop.simulation.model.distributions import durations
from twinloop.simulation.model.source import Variant
from twinloop.simulation.model.station import Station

Process = Generator[simpy.Event, Any, None]
Fetching = Generator[simpy.Event, Any, Part]
Outlet = Door | Dock | Shipping
NEVER = float("inf")
GOOD = 0
WAITING = frozenset((STARVED, BLOCKED, IDLE))


def _never() -> float:
    return NEVER


@dataclass(frozen=True, eq=False)
class Place:
    """Where a machine stands: its number in the log, the buffer it takes from and the one it puts into.

    variants: as they are numbered. server: which of the station's machines it is, from 0.
    outlet_of: on a routed line, where a finished part goes. crew: who repairs (null: every machine has its own
    repairer). needs: what else it takes to work on a part. loading: how it comes to its next part, where that is not
    simply the next of the inlet. row: minutes of a part by the joint table, in place of the station's cycle.
    """

    env: simpy.Environment
    log: EventLog
    streams: Streams
    entity: int
    inlet: Buffer
    outlet: Outlet
    variants: tuple[Variant, ...]
    server: int = 0
    outlet_of: Callable[[Part], Outlet] | None = None
    crew: RepairCrew | None = None
    needs: "Needs | None" = None
    loading: "Callable[[Machine], Fetching] | None" = None
    row: Callable[[Part], float] | None = None


class Needs(Protocol):
    """What a machine gets before it works on a part, and gives back afterwards."""

    def prepare(self, machine: "Machine", part: Part) -> Process:
        """Get it, waiting where it is not there."""

    def release(self) -> None:
        """Give back what can be used again."""


class Machine:
    """One server of a station.

    state, since, part: what it does, from which minute on, and with which part (-1: none).
    batch: what it works on, where that is more than one part. waits_for: the buffer (or the name of what else) that
    it waits for. health: 1 as new to 0 failed, NaN without wear. last_maintenance: minute, NaN before the first.
    """

    # A machine with upkeep is of a class that says so; the others skip this step.
    _has_upkeep = False

    def __init__(self, place: Place, station: Station) -> None:
        self.env, self.log, self.entity = place.env, place.log, place.entity
        self.inlet, self.outlet = place.inlet, place.outlet
        self._factors = tuple(variant.cycle_factor for variant in place.variants)
        self._speed = station.speeds[place.server] if station.speeds else 1.0
        self._outlet_of, self._crew, self._priority = place.outlet_of, place.crew, station.repair_priority
        self._needs, self._loading, self._row = place.needs, place.loading, place.row
        self.batch: deque[Part] = deque()
        self.name = self.log.entities[self.entity]
        self.state, self.since, self.part = STARVED, 0.0, NO_PART
        self.waits_for: Outlet | str = ""
        self.last_maintenance = NOTHING
        streams = place.streams
        self.cycle = durations(station.cycle, streams, self.name, "cycle")
        self.repair: Callable[[], float] = _never
        self.failure: Callable[[], float] = _never
        if station.failure and station.repair:
            self.failure = durations(station.failure, streams, self.name, "failure")
            self.repair = durations(station.repair, streams, self.name, "repair")
        self._calendar = station.failure is not None and station.failure_clock == "calendar"
        names = [variant.name for variant in place.variants]
        self.cycles = {
            names.index(name): durations(own, streams, self.name, f"cycle {name}")
            for name, own in station.cycles.items()
        }
        self._setup = durations(station.setup, streams, self.name, "setup") if station.setup else None
        self.setups = {
            (names.index(before), names.index(after)): durations(time, streams, self.name, f"setup {before} to {after}")
            for before, onward in station.setups.items()
            for after, time in onward.items()
        }
        self._sets_up = bool(station.setup or station.setups)
        of_size = {
            one.parts: durations(one.cycle, streams, self.name, f"cycle of {one.parts}") for one in station.batch_cycles
        }
        self._by_size = [of_size[station.padded(1 + size)] for size in range(station.batch if of_size else 0)]
        self._plain = not (station.cycles or station.speeds or self._by_size or self._row)
        self._variant: int | None = None
        self._left = self.failure()
        self._watched_to = self._repaired_at = 0.0
        self.begun: tuple[Part, bool] | None = None
        self.env.process(self._run())

    @property
    def health(self) -> float:
        """1 as new to 0 failed, NaN for a machine without wear."""
        return NOTHING

    def _run(self) -> Process:
        if self.begun is not None:
            yield from self._go_on(*self.begun)
        while True:
            if self._has_upkeep:
                yield from self._upkeep()
            part = yield from self._fetch()
            if self._needs is not None:
                yield from self._needs.prepare(self, part)
            if self._sets_up and part.variant != self._variant:
                yield from self._change_over(part)
            yield from self._process(part)
            if self._needs is not None:
                self._needs.release()
            if self.batch:
                while self.batch:
                    yield from self._pass_on(self.batch.popleft())
            else:
                yield from self._pass_on(part)

    def _go_on(self, part: Part, done: bool) -> Process:
        """Begin with a part that is in the machine already, to be worked on or only to be passed on (a fork)."""
        if not done:
            if self._sets_up and part.variant != self._variant:
                yield from self._change_over(part)
            yield from self._process(part)
        yield from self._pass_on(part)

    def _change_over(self, part: Part) -> Process:
        """Set up for the part's variant; the very first takes no time."""
        if self._variant is not None:
            minutes = self.setups.get((self._variant, part.variant), self._setup)
            if minutes is not None:
                yield from self._work(minutes(), SETUP, part)
        self._variant = part.variant

    def _upkeep(self) -> Process:
        """What is done to the machine itself between two parts."""
        yield from ()

    def _fetch(self) -> Fetching:
        """The next part, waited for if there is none."""
        if self._loading is not None:
            return (yield from self._loading(self))
        part = self.inlet.take()
        if part is None:
            part = yield from self.wait(self.inlet.arrival(), STARVED, self.inlet)
        return part

    def note(self, state: int, part: int = NO_PART) -> None:
        """Log a change of state at the present moment."""
        self.state, self.part = state, part
        self.since = now = self.env.now
        self.log.record(now, state, self.entity, part)

    def wait(
        self, event: simpy.Event, state: int, reason: Outlet | str, part: int = NO_PART
    ) -> Generator[simpy.Event, Any, Any]:
        """Wait in `state` for an event, and for the end of a breakdown that comes meanwhile; gives its value."""
        self.waits_for = reason
        self.note(state, part)
        value = yield event
        if self._calendar:
            yield from self._settle()
        return value

    def _process(self, part: Part) -> Process:
        minutes = self.cycle() * self._factors[part.variant] if self._plain else self._minutes(part)
        yield from self._work(minutes, RUNNING, part)

    def _minutes(self, part: Part) -> float:
        """What one cycle takes for the part."""
        own = self.cycles.get(part.variant)
        if own is not None:
            return own() / self._speed
        if self._row is not None:
            minutes = self._row(part)
        else:
            minutes = self._by_size[len(self.batch) - 1]() if self._by_size else self.cycle()
        return minutes * self._factors[part.variant] / self._speed

    def _pass_on(self, part: Part) -> Process:
        outlet = self.outlet if self._outlet_of is None else self._outlet_of(part)
        if not outlet.put(part):
            yield from self._wait_for_room(outlet, part)

    def _wait_for_room(self, place: Outlet, part: Part, *, first: bool = False) -> Process:
        yield from self.wait(place.room(part, first=first), BLOCKED, place, part.number)

    def _work(self, minutes: float, state: int, part: Part) -> Process:
        self.note(state, part.number)
        wears = self._calendar or state == RUNNING
        while wears and self._left < minutes:
            yield self.env.timeout(self._left)
            minutes -= self._left
            yield from self._repairing(part)
            self._left = self.failure()
            self.note(state, part.number)
        yield self.env.timeout(minutes)
        if wears:
            self._left -= minutes
        self._watched_to = self.env.now

    def _repairing(self, part: Part) -> Process:
        """Down with a part in it, until somebody has come and repaired."""
        self.note(DOWN, part.number)
        yield from self._serviced(self.repair)

    def _serviced(self, minutes: Callable[[], float]) -> Process:
        crew = self._crew
        if crew is None:
            yield self.env.timeout(minutes())
            return
        called = crew.call(self._priority)
        if called is not None:
            self.waits_for = "the crew"
            yield called
        yield self.env.timeout(minutes())
        crew.leave()

    def _settle(self) -> Process:
        """Calendar breakdowns since the last work; waits for a repair that is still going on or has to begin."""
        remaining = self.settle(self.env.now)
        if remaining > 0:
            self.state = DOWN
            if self._crew is None:
                yield self.env.timeout(remaining)
            else:
                yield from self._serviced(self.repair)
            self._watched_to, self._repaired_at = self.env.now, 0.0

    def settle(self, now: float) -> float:
        """Log the calendar breakdowns of a wait that ends `now`; returns the minutes of repair still to come.

        With a crew the breakdown of a waiting machine is noticed when the wait ends: infinite minutes are to come.
        """
        remaining = self.observe(now)
        if self._repaired_at <= self._watched_to:
            # Rounding may make a failure that comes this very moment a little overdue.
            self._left = max(self._left - (now - self._watched_to), 0.0)
            self._watched_to = now
        return remaining

    def observe(self, now: float) -> float:
        """The same for a wait that goes on: it can be looked at any number of times."""
        waiting = self.state
        while True:
            if self._repaired_at > self._watched_to:
                if self._repaired_at >= now:
                    return self._repaired_at - now
                self.log.record(self._repaired_at, waiting, self.entity, self.part)
                self._watched_to = self.since = self._repaired_at
            fails = self._watched_to + self._left
            if fails >= now:
                return 0.0
            self.log.record(fails, DOWN, self.entity, self.part)
            self.since = fails
            self._repaired_at = fails + self.repair() if self._crew is None else NEVER
            self._left = self.failure()

    def finish(self, horizon: float) -> None:
        """Settle a wait that the horizon cuts."""
        if self._calendar and self.state in WAITING:
            self.observe(horizon)
