"""A measured service as a line: people think, then every part of their turn wants one of the cores that all share.

Closed: everybody waits for their answer before they think again, so a slow service is asked less often. The seconds of
a turn's parts are one row of the profile, and every replication draws its rows from a resample of the measured ones.
Time that a part only waited passes without a core.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import ServiceProfile
from twinloop.errors import InputError, unknown
from twinloop.simulation import (
    AssumedRates,
    BatchCycle,
    Distribution,
    Inspection,
    Joint,
    Line,
    Operators,
    Source,
    Span,
    Station,
)

THINK, CORE, TURN = "think", "core", "turn"
# Parts that a turn does without, whose answer is known already.
KNOWN = ("find", "answer")
S_PER_MIN = 60.0
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Service:
    """A service that people talk to, as it was measured and with what may be changed of it.

    cores: that work on turns. think_s: mean seconds (exponential) between an answer and the next question. target_s:
    within which a turn shall be answered. speed: part → how many times as fast as measured. cached: share of all turns
    that are answered from the cache beyond those that were. limit: turns under way beyond which others are turned away.
    batched: part that works on all that wait together, as far as its batches were measured; it then takes what a batch
    of so many takes, whatever turns are in it. most: turns of such a batch.
    Raises InputError for a part that does not exist, and for batches that were not measured.
    """

    profile: ServiceProfile
    cores: int
    think_s: float
    target_s: float
    speed: Mapping[str, float] = field(default_factory=dict)
    cached: float = 0.0
    limit: int | None = None
    batched: str = ""
    most: int = 1

    def __post_init__(self) -> None:
        for part in self.speed:
            if part not in self.profile.components:
                raise unknown("service: speed: part", part, self.profile.components)
        if self.batched and self.most not in self.profile.batches.get(self.batched, {}):
            raise InputError(f"service: {self.batched}: batches of {self.most} were not measured")
        if not 0 <= self.cached <= 1:
            raise InputError(f"service: cached = {self.cached}: expected a share in [0, 1]")
        if not self.cpu_s.any():
            raise InputError("service: no part of a turn works on this machine: nothing of it limits how many can ask")

    @cached_property
    def cpu_s(self) -> Floats:
        """[turns, parts] seconds that a core is busy with each."""
        return self._changed(self.profile.cpu_s())

    @cached_property
    def waiting_s(self) -> Floats:
        """[turns, parts] seconds that each only waits."""
        return self._changed(self.profile.waiting_s())

    @property
    def demand_s(self) -> float:
        """Mean seconds that a turn keeps a core busy."""
        return float(self.cpu_s.sum(axis=1).mean())

    @property
    def alone(self) -> Floats:
        """[turns] seconds of each for somebody who is alone with it."""
        seconds: Floats = (self.cpu_s + self.waiting_s).sum(axis=1)
        return seconds

    def _changed(self, seconds: Floats) -> Floats:
        parts = self.profile.components
        changed: Floats = seconds / np.array([self.speed.get(part, 1.0) for part in parts])
        changed[np.ix_(self._known, np.array([part in KNOWN for part in parts]))] = 0.0
        return changed

    @cached_property
    def _known(self) -> NDArray[np.bool_]:
        """[turns] whether it is answered from the cache in addition: of those that were not, evenly by their length."""
        was = self.profile.turns["cached"].to_numpy()
        order = [row for row in np.argsort(_total(self.profile), kind="stable") if not was[row]]
        count = min(round(self.cached * len(was)), len(order))
        known = np.zeros(len(was), dtype=bool)
        if count:
            places = ((np.arange(count) + 0.5) * len(order) / count).astype(int)
            known[np.array(order)[places]] = True
        return known

    def line(self, users: int) -> Line:
        """The service with so many people."""
        described, room = self._line, max(users, self.most)
        return dataclasses.replace(
            described, source=Source(population=users), buffers=(room,) * (len(described.stations) - 1)
        )

    @cached_property
    def _line(self) -> Line:
        stations = [Station(name=THINK, cycle=_exponential(self.think_s), unlimited=True)]
        rows, working = list[str](), list[str]()
        # Sorted, a turn is long in every resample where it is long in the profile, whatever was changed (Joint).
        order = np.argsort(_total(self.profile), kind="stable")
        for place, part in enumerate(self.profile.components):
            cpu, waiting = self.cpu_s[order, place], self.waiting_s[order, place]
            if part == self.batched:
                stations.append(self._gathering(part))
                working.append(part)
            elif cpu.any():
                stations.append(Station(name=part, cycle=_observed(cpu), servers=self.cores))
                rows.append(part)
                working.append(part)
            if waiting.any():
                stations.append(Station(name=f"{part}_waits", cycle=_observed(waiting), unlimited=True))
                rows.append(f"{part}_waits")
        first, last = stations[1].name, stations[-1].name
        return Line(
            name="service",
            minutes_per_day=60.0,
            source=Source(population=1),
            stations=tuple(stations),
            buffers=(self.most,) * (len(stations) - 1),
            operators=(Operators(name=CORE, count=self.cores, skills=tuple(working)),),
            spans=(
                Span(
                    name=TURN,
                    start=first,
                    end=last,
                    target_min=self.target_s / S_PER_MIN,
                    limit=self.limit,
                    when_full="wait" if self.limit is None else "lose",
                ),
            ),
            joint=Joint(stations=tuple(rows), renewed_at=first, resampled=True) if rows else None,
            inspection=Inspection(assumed=AssumedRates(defect_rate=0.0, false_reject_rate=0.0)),
        )

    def _gathering(self, part: str) -> Station:
        """A part that works on whoever waits together; nobody is waited for."""
        speed = self.speed.get(part, 1.0)
        sizes = {size: seconds / speed for size, seconds in self.profile.batches[part].items() if size <= self.most}
        if self.most == 1:
            return Station(name=part, cycle=_fixed(sizes[1]), servers=self.cores)
        return Station(
            name=part,
            cycle=_fixed(sizes[self.most]),
            servers=self.cores,
            batch=self.most,
            batch_wait_min=0.0,
            batch_cycles=tuple(BatchCycle(parts=size, cycle=_fixed(seconds)) for size, seconds in sizes.items()),
        )


def _total(profile: ServiceProfile) -> Floats:
    """[turns] seconds as they were measured."""
    total: Floats = (profile.cpu_s() + profile.waiting_s()).sum(axis=1)
    return total


def _exponential(seconds: float) -> Distribution:
    return Distribution(kind="exponential", mean=seconds / S_PER_MIN)


def _fixed(seconds: float) -> Distribution:
    return Distribution(kind="deterministic", mean=seconds / S_PER_MIN)


def _observed(seconds: Floats) -> Distribution:
    return Distribution(kind="empirical", values=tuple((seconds / S_PER_MIN).tolist()))
