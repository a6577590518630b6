"""A line that runs step by step, tells its state and its events, and can be continued from any moment.

Without subscribers it runs as fast as any replication and writes the same log. With subscribers, breakdowns of
waiting machines are looked for before every event, so that handlers see them in time and not when the wait ends.
"""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import simpy

from twinloop.contracts import OperatingCurve
from twinloop.errors import InputError
from twinloop.replication.streams import Streams
from twinloop.simulation.engine.build import Plant, build
from twinloop.simulation.engine.fork import forked
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.run import MS_PER_MINUTE
from twinloop.simulation.events.bus import EventBus, Handler, Subscription
from twinloop.simulation.events.kpi import kpis
from twinloop.simulation.events.log import EventLog
from twinloop.simulation.events.mirror import Mirror, follow
from twinloop.simulation.events.state import LineState
from twinloop.simulation.model.economy import Economy
from twinloop.simulation.model.entities import entities
from twinloop.simulation.model.line import Line

if TYPE_CHECKING:
    from twinloop.simulation.experiments.forecast import Forecast
    from twinloop.simulation.maintenance.outlook import Outlook


class LiveLine:
    """A plant that is running, from minute `started` to `now`."""

    def __init__(self, plant: Plant, mirror: Mirror, *, curve: OperatingCurve | None, latency_ms: float) -> None:
        self.line, self._plant, self._mirror = plant.line, plant, mirror
        self._curve, self._latency_ms = curve, latency_ms
        self._bus = EventBus(plant.log.entities, plant.log.classes)
        # What a fork's log begins with is what its mirror knows already.
        self._mirrored = self._told = len(plant.log) if mirror.start else 0
        self._busy = False
        self.started = self.now

    @property
    def now(self) -> float:
        """The present minute."""
        return float(self._plant.env.now)

    @property
    def log(self) -> EventLog:
        """The events so far, `now` being the horizon; it grows as the line goes on."""
        return self._plant.log

    @property
    def state(self) -> LineState:
        """What the events so far say of the line."""
        follow(self._mirror, self.log, first=self._mirrored)
        self._mirrored = len(self.log)
        return self._mirror.state(self.now)

    def step(self, minutes: float) -> "LiveLine":
        """Go on for some minutes. Raises InputError for a negative or infinite number."""
        return self.run_until(self.now + minutes)

    def run_until(self, minute: float) -> "LiveLine":
        """Go on to that minute, before what happens then; gives the line itself.

        Raises InputError for a minute that is over, and RunError when a handler fails.
        """
        if not (math.isfinite(minute) and minute >= self.now):
            raise InputError(f"live: run until minute {minute:g}: expected a minute from now ({self.now:g}) on")
        if self._busy:
            raise InputError("live: a handler cannot run the line that calls it: fork the line's state instead")
        self._busy = True
        try:
            self._advance(minute)
        finally:
            self._busy = False
            self.log.horizon = self.now
        return self

    def _advance(self, minute: float) -> None:
        env, self._told = self._plant.env, len(self.log)
        while len(self._bus) and env.peek() < minute:
            self._observe(env.peek())
            env.step()
            self._publish()
        if minute > self.now:
            env.run(until=minute)
        self._observe(minute)

    def _observe(self, minute: float) -> None:
        for machine in self._plant.machines:
            machine.finish(minute)
        self._publish()

    def _publish(self) -> None:
        first, self._told = self._told, len(self.log)
        if len(self._bus) and first < self._told:
            for row in sorted(self.log.noted(first), key=lambda row: row[0]):
                self._bus.publish(row)

    def subscribe(
        self, handler: Handler, *, kinds: Iterable[str] | None = None, entities: Iterable[str] | None = None
    ) -> Subscription:
        """Call `handler` with every Event of these kinds and entities from now on (default: all).

        Raises InputError for a kind or an entity that does not exist.
        """
        return self._bus.subscribe(handler, kinds=kinds, entities=entities)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Call its handler no more."""
        self._bus.unsubscribe(subscription)

    def fork(self, *, seed: int, replication: int = 0) -> "LiveLine":
        """Another line that goes on from this state with luck of its own; see LineState.fork."""
        curve, latency_ms = self._curve, self._latency_ms
        return self.state.fork(self.line, seed=seed, replication=replication, curve=curve, latency_ms=latency_ms)

    def forecast(self, *, minutes: float, **how: Any) -> "Forecast":
        """Key figures of the next `minutes`, from many forks of this state; see LineState.forecast."""
        how = {"curve": self._curve, "latency_ms": self._latency_ms} | how
        return self.state.forecast(self.line, minutes=minutes, **how)

    def outlook(self, *, minutes: float, **how: Any) -> "Outlook":
        """Who fails next, and the health and load of every machine over the next `minutes`.

        The keywords are those of maintenance.outlook: `risks`, what a predictor says at this moment.
        """
        from twinloop.simulation.maintenance.outlook import outlook

        return outlook(self.state, self.log, self.line, minutes=minutes, **how)

    def next_failure(self, **how: Any) -> tuple[str, float]:
        """The machine that is likeliest to fail next, and the minute by which that is as likely as not.

        The keywords are those of `outlook`.
        """
        found = self.outlook(**({"minutes": float(self.line.minutes_per_day)} | how))
        return found.machine, found.minute

    def kpis(self, economy: Economy | None = None, *, start: float | None = None) -> dict[str, float]:
        """The key figures from minute `start` (default: where this line started) to now.

        Raises RunError when nothing left the line in that time.
        """
        # At its first minute a fork's log tells again what was before; that is not counted.
        first = math.nextafter(self.started, math.inf) if self.started else 0.0
        return kpis(self.log, self.line, economy or Economy(), start=first if start is None else start)[0]

    def _repr_html_(self) -> str:
        return self.state._repr_html_()


def live_line(
    line: Line,
    *,
    seed: int,
    replication: int,
    curve: OperatingCurve | None,
    latency_ms: float,
    start: LineState | None = None,
) -> LiveLine:
    """A line at minute 0, empty, or where `start` is; see Line.live and LineState.fork."""
    gate = Gate.of(line.inspection.curve(curve))
    latency_min = latency_ms / MS_PER_MINUTE
    streams = Streams(seed, replication, start=start.clock_min if start else 0.0)
    if start is not None:
        plant = forked(start, line, gate, streams, latency_min=latency_min)
    else:
        log = EventLog(entities(line), gate.classes, 0.0)
        plant = build(simpy.Environment(), log, line, gate, streams, latency_min=latency_min)
    return LiveLine(plant, Mirror(line, gate.classes, start), curve=curve, latency_ms=latency_ms)
