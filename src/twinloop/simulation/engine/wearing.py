"""Machines that wear: a warning before the limit, a breakdown at it, and maintenance by policy.

`Wearing` goes before the kind of machine that it is. Each life has its own numbered random stream: the k-th life of a
machine has the same luck under every policy, and whoever knows the line and the log can draw its path again
(degradation.history).
"""

from collections.abc import Sequence
from typing import Any

from twinloop.simulation.engine.entities import Part
from twinloop.simulation.engine.inspection import Inspector
from twinloop.simulation.engine.machines import Machine, Place, Process
from twinloop.simulation.events.log import DOWN, MAINTENANCE, NO_PART, NOTHING, RUNNING, UNKNOWN, WARNING
from twinloop.simulation.model.distributions import durations
from twinloop.simulation.model.policies.policy import NEVER
from twinloop.simulation.model.station import Station
from twinloop.simulation.model.wear_path import level_left, life_path

UNDER_CARE = (DOWN, MAINTENANCE)
HEALTH_TOLD = (WARNING, DOWN, MAINTENANCE)


class Wearing(Machine):
    """A machine whose time to failure is the life of a wear path. peers: all machines of the line.

    health: at the end of its last work, or at the last change of its state if that was later.
    """

    _has_upkeep = True
    peers: Sequence[Machine] = ()

    def __init__(self, place: Place, station: Station, **kind: Any) -> None:
        super().__init__(place, station, **kind)
        if station.wear is None or station.repair is None:
            raise ValueError(f"{self.name}: expected a station with wear and repair")
        self._wear, self._maintenance, self._streams = station.wear, station.maintenance, place.streams
        self.repair = durations(station.repair, place.streams, self.name, "repair")
        if station.maintenance:
            self._duration = durations(station.maintenance.duration, place.streams, self.name, "maintenance")
        predictor = station.maintenance.predictor if station.maintenance else None
        self._draw = 1 + place.streams.replication % predictor.draws if predictor and predictor.draws else 0
        self._life = -1
        self._begin(start=0.0)

    @property
    def health(self) -> float:
        """1 as new, 0 failed."""
        return float(self._path.health(self._age))

    def _begin(self, *, start: float) -> None:
        self._life += 1
        self._age = 0.0
        self._path = life_path(self._wear, self._streams, self.name, self._life, start=start)
        alerts = self._streams.generator(self.name, f"alerts {self._life}")
        self._due = (
            NEVER if self._maintenance is None else self._maintenance.due_age(self._path, alerts, draw=self._draw)
        )
        self._stop = self._path.age_below(self._wear.warning_below)
        self._warned = self._stop <= 0
        if self._warned:
            self._stop = self._path.life_min

    def note(self, state: int, part: int = NO_PART) -> None:
        """Log a change of state at the present moment, with the health where it matters."""
        self.state, self.part = state, part
        self.since = now = self.env.now
        self.log.record(now, state, self.entity, part, UNKNOWN, self.health if state in HEALTH_TOLD else NOTHING)

    def _work(self, minutes: float, state: int, part: Part) -> Process:
        if state != RUNNING:
            yield from super()._work(minutes, state, part)
            return
        while minutes >= self._stop - self._age:
            step = self._stop - self._age
            self.note(WARNING if self._warned else RUNNING, part.number)
            yield self.env.timeout(step)
            minutes -= step
            self._age = self._stop
            if self._stop < self._path.life_min:
                self._warned, self._stop = True, self._path.life_min
            elif self._maintenance and self._maintenance.rule.at_failure:
                yield from self._maintain(self._maintenance.restoration, part.number)
            else:
                yield from self._repairing(part)
                self._begin(start=level_left(self._wear, 0.0, self._wear.restoration))
        self.note(WARNING if self._warned else RUNNING, part.number)
        yield self.env.timeout(minutes)
        self._age += minutes

    def _upkeep(self) -> Process:
        maintenance = self._maintenance
        if maintenance and self._age >= self._due and (not maintenance.rule.waits or self._opportune()):
            yield from self._maintain(maintenance.restoration)

    def _opportune(self) -> bool:
        """Whether the machine would stand anyway, or another one stands."""
        return self.inlet.empty or any(peer.state in UNDER_CARE for peer in self.peers if peer is not self)

    def _maintain(self, restoration: float, part: int = NO_PART) -> Process:
        health = self.health
        self.note(MAINTENANCE, part)
        yield from self._serviced(self._duration)
        self.last_maintenance = self.env.now
        self._begin(start=level_left(self._wear, health, restoration))


class WearingInspector(Wearing, Inspector):
    """A camera that wears."""
