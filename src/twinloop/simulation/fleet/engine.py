"""A fleet under one policy as a discrete-event simulation: events are failures, mornings, arrivals and repairs done.

Vehicles age by the minutes that they drive, the workshop works by its opening hours; between events nothing is
computed, so that a replication costs what its visits cost.
"""

import heapq
import math
from collections.abc import Mapping, Sequence
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.simulation.fleet.duty import MINUTES_PER_DAY
from twinloop.simulation.fleet.ledger import Ledger
from twinloop.simulation.fleet.lives import Unit
from twinloop.simulation.fleet.morning import Morning, Visit
from twinloop.simulation.fleet.onset import Onset, failing
from twinloop.simulation.fleet.policies.policy import Policy
from twinloop.simulation.fleet.record import Reason, Record, Service, Stay
from twinloop.simulation.fleet.workshop import Floor, Job, Slot, Stock, Store
from twinloop.simulation.fleet.world import World
from twinloop.simulation.model.wear_path import level_left

Floats = NDArray[np.float64]
# Kinds of events in the order in which they happen at one time.
DONE, ARRIVAL, ONSET, MORNING, FAILURE, READY = range(6)


class _Down(NamedTuple):
    """A vehicle on its way to a bay: since when it stands, when it is there, what is to be renewed and why."""

    roadside: bool
    off: float
    arrived: float
    ready: float
    components: tuple[tuple[int, Reason], ...]


def simulate(world: World, policy: Policy, *, draw: int = 0, onsets: Sequence[Onset] = ()) -> Record:
    """One replication under a policy; draw: which draw of what was measured it uses, 0 for its estimate.

    Raises InputError for a policy that does not fit the fleet and for a visit that cannot be agreed.
    """
    policy.check(world.fleet)
    run = _Run(world, policy, draw)
    for onset in onsets:
        run.push((onset.day + world.warmup_days) * MINUTES_PER_DAY, ONSET, onset.vehicle, onset)
    run.until_end()
    return run.record()


class _Run:
    """The state of a run; the odometer of a vehicle that is up is its `base` + planned work, in minutes driven."""

    def __init__(self, world: World, policy: Policy, draw: int) -> None:
        self.world, self.policy, self.draw = world, policy, draw
        self.fleet, self.duties, self.opening = world.fleet, world.duties, world.opening
        fleet = self.fleet
        shape = len(fleet.vehicles), len(fleet.components)
        self.places = {name: place for place, name in enumerate(fleet.names)}
        self.floor = Floor(fleet.workshop, world.opening)
        stocks = {p: Stock(c.stock, c.lead_days * MINUTES_PER_DAY) for p, c in enumerate(fleet.components)}
        self.store = Store(stocks)
        self.base, self.odometer = np.zeros(shape[0]), np.zeros(shape[0])
        self.up = np.ones(shape[0], dtype=bool)
        self.version = [0] * shape[0]
        self.down: dict[int, _Down] = {}
        self.slots: dict[int, Slot] = {}
        # Of each present part: odometer at its beginning, at which it fails, from which it is due; when it began.
        self.begin, self.dies, self.due = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self.since = np.zeros(shape)
        self.number = np.zeros(shape, dtype=np.int64)
        self.units: dict[tuple[int, int], Unit] = {}
        # component → (when its visit is, when its part is there), by vehicle
        self.bookings: list[dict[int, tuple[float, float]]] = [{} for _ in range(shape[0])]
        self.visit_day = np.full(shape, math.nan)
        self.events: list[tuple[float, int, int, int, object]] = []
        self.order = count()
        self.stays: list[Stay] = []
        self.services: list[Service] = []
        self.ledger = Ledger(world)
        for vehicle in range(shape[0]):
            for component in range(shape[1]):
                self.install(vehicle, component, 0.0, start=0.0)
                if fleet.used:
                    unit = self.units[vehicle, component]
                    self.begin[vehicle, component] = -unit.used * unit.path.life_min
                    self.use(vehicle, component, unit)
            self.expect_failure(vehicle, 0.0)
        if policy.watches:
            self.push(0.0, MORNING, 0, None)

    def push(self, time: float, kind: int, vehicle: int, what: object) -> None:
        """An event to come; what lies beyond the end never comes."""
        if time <= self.world.end_min:
            heapq.heappush(self.events, (time, kind, next(self.order), vehicle, what))

    def until_end(self) -> None:
        """All events in the order of time."""
        while self.events:
            time, kind, _, vehicle, what = heapq.heappop(self.events)
            if kind == DONE:
                self.back(vehicle, time)
            elif kind == ARRIVAL:
                self.arrive(vehicle, time)
            elif kind == MORNING:
                self.morning(time)
            elif kind == READY:
                self.serve(vehicle)
            elif isinstance(what, Onset):
                self.begin_onset(what, time)
            elif what == self.version[vehicle]:
                self.fail(vehicle, time)

    def install(self, vehicle: int, component: int, time: float, *, start: float) -> None:
        """A part begins its life; `start`: its wear level."""
        number = int(self.number[vehicle, component])
        self.use(vehicle, component, self.world.lives.unit(vehicle, component, number, start=start))
        self.since[vehicle, component] = time

    def use(self, vehicle: int, component: int, unit: Unit) -> None:
        """From now on the present part has this life, of which it has as many minutes behind it as it was driven."""
        place = vehicle, component
        self.units[place] = unit
        self.dies[place] = self.begin[place] + unit.path.life_min
        number = int(self.number[place])
        age = self.policy.due_age(self.world.lives, vehicle, component, number, unit, draw=self.draw)
        self.due[place] = self.begin[place] + age

    def expect_failure(self, vehicle: int, now: float) -> None:
        """The next failure of a vehicle that is up; any other that was expected does not come."""
        self.version[vehicle] += 1
        when = self.duties.when(vehicle, float(self.dies[vehicle].min()) - float(self.base[vehicle]))
        self.push(max(when, now), FAILURE, vehicle, self.version[vehicle])

    def fail(self, vehicle: int, time: float) -> None:
        """A failure on the road, or the oracle's visit in its place."""
        component = int(self.dies[vehicle].argmin())
        self.odometer[vehicle] = self.dies[vehicle, component]
        roadside = not self.policy.at_failure
        reasons: dict[int, Reason] = {component: "failure" if roadside else "planned"}
        if roadside:
            unit = self.units[vehicle, component]
            for name, probability in self.fleet.components[component].damage.items():
                if unit.luck < probability:
                    reasons[self.fleet.component(name)] = "damage"
        arrived = time + (self.fleet.towing_min if roadside else 0.0)
        self.stand(vehicle, time, arrived, reasons)

    def arrive(self, vehicle: int, time: float) -> None:
        """The day of an agreed visit has come; a vehicle that is down then comes on the first day after."""
        agreed = [component for component, (when, _) in self.bookings[vehicle].items() if when <= time]
        if not agreed:
            return
        if not self.up[vehicle]:
            later = self.opening.opens((time // MINUTES_PER_DAY + 1) * MINUTES_PER_DAY)
            for component in agreed:
                self.book(vehicle, component, later, self.bookings[vehicle][component][1])
            self.push(later, ARRIVAL, vehicle, None)
            return
        self.odometer[vehicle] = self.base[vehicle] + self.duties.work(vehicle, time)
        self.stand(vehicle, time, time, dict.fromkeys(agreed, "planned"))

    def stand(self, vehicle: int, off: float, arrived: float, reasons: dict[int, Reason]) -> None:
        """The vehicle stops; whatever else was agreed is done in the same visit where its part is there."""
        agreed = self.bookings[vehicle]
        ready = arrived
        for component in reasons:
            ready = max(ready, agreed[component][1] if component in agreed else self.store.take(component, off))
        for component, (_, part) in agreed.items():
            if component not in reasons and part <= ready:
                reasons[component] = "planned"
        self.up[vehicle] = False
        self.version[vehicle] += 1
        roadside = "failure" in reasons.values()
        self.ledger.visit(off, self.prices(reasons), failed=roadside)
        for component, reason in reasons.items():
            agreed.pop(component, None)
            self.visit_day[vehicle, component] = math.nan
            self.retire(vehicle, component, off, reason)
        self.down[vehicle] = _Down(roadside, off, arrived, ready, tuple(reasons.items()))
        self.push(ready, READY, vehicle, None)

    def retire(self, vehicle: int, component: int, time: float, reason: Reason) -> None:
        """A part's service ends."""
        place = vehicle, component
        begun, number = float(self.since[place]), int(self.number[place])
        ends = float(self.begin[place]), float(self.odometer[vehicle])
        self.services.append(Service(vehicle, component, number, begun, time, *ends, reason, self.units[place]))

    def serve(self, vehicle: int) -> None:
        """The parts are there: bay and technicians are taken as they come free."""
        down = self.down[vehicle]
        jobs = []
        for component, reason in down.components:
            described = self.fleet.components[component]
            factor = described.failed_factor if reason == "failure" else 1.0
            jobs.append(Job(described.skill, factor * self.units[vehicle, component].repair_min))
        slot = self.slots[vehicle] = self.floor.serve(down.ready, jobs)
        reasons = dict(down.components)
        lost = self.ledger.stand(vehicle, reasons, down.off, slot.done)
        euro = lost / MINUTES_PER_HOUR * self.fleet.downtime_hour + sum(self.prices(reasons).values())
        self.stays.append(Stay(vehicle, *down[:-1], *slot[:3], slot.busy_min, down.components, lost, euro))
        self.push(slot.done, DONE, vehicle, None)

    def prices(self, reasons: Mapping[int, Reason]) -> dict[int, float]:
        """Euro for each renewal of a stay."""
        described = self.fleet.components
        return {c: described[c].failure if reason == "failure" else described[c].visit for c, reason in reasons.items()}

    def back(self, vehicle: int, time: float) -> None:
        """The vehicle drives again, with new parts where it was repaired."""
        down = self.down.pop(vehicle)
        del self.slots[vehicle]
        self.up[vehicle] = True
        self.base[vehicle] = self.odometer[vehicle] - self.duties.work(vehicle, time)
        for component, _ in down.components:
            place = vehicle, component
            wear, start = self.fleet.components[component].wear, 0.0
            if wear.restoration < 1:
                health = float(self.units[place].path.health(self.odometer[vehicle] - self.begin[place]))
                start = level_left(wear, health, wear.restoration)
            self.begin[place] = self.odometer[vehicle]
            self.number[place] += 1
            self.install(vehicle, component, time, start=start)
        self.expect_failure(vehicle, time)

    def begin_onset(self, onset: Onset, time: float) -> None:
        """From now on the part wears so that it fails after the planned driving of some days."""
        if not self.up[onset.vehicle]:
            self.push(time + MINUTES_PER_DAY, ONSET, onset.vehicle, onset)
            return
        place = onset.vehicle, onset.component
        now = self.duties.work(onset.vehicle, time)
        ahead = self.duties.work(onset.vehicle, time + onset.days * MINUTES_PER_DAY) - now
        age = float(self.base[onset.vehicle]) + now - float(self.begin[place])
        unit = self.units[place]
        self.use(*place, unit._replace(path=failing(unit.path, age, max(ahead, 1.0))))
        self.expect_failure(onset.vehicle, time)

    def morning(self, time: float) -> None:
        """The policy looks at the fleet, and its visits are agreed."""
        self.push(time + MINUTES_PER_DAY, MORNING, 0, None)
        number = int(time // MINUTES_PER_DAY)
        day = number - self.world.warmup_days
        if number >= self.duties.days:
            return
        odometer = np.where(self.up, self.base + self.duties.until[:, number], self.odometer)
        since = odometer[:, None] - self.due
        morning = Morning(
            fleet=self.fleet,
            day=day,
            time_min=day * MINUTES_PER_DAY,
            earliest_day=day + self.fleet.notice_days,
            odometer_min=odometer,
            age_min=odometer[:, None] - self.begin,
            due=since >= 0,
            due_since_min=np.maximum(since, 0.0),
            standing_min=self.standing(time),
            up=self.up.copy(),
            visit_day=self.visit_day.copy(),
        )
        for visit in self.policy.visits(morning):
            self.agree(visit, morning, time)

    def standing(self, time: float) -> Floats:
        """[vehicles, components] average minutes of repair that vehicles in the workshop, or on their way, still need.

        What is half done is told by how far it is, as whoever stands beside it would.
        """
        left = np.zeros(self.due.shape)
        for vehicle, down in self.down.items():
            share, slot = 1.0, self.slots.get(vehicle)
            if slot is not None and slot.busy_min > 0:
                done = self.opening.passed(time) - self.opening.passed(slot.start)
                share = 1 - min(max(done / slot.busy_min, 0.0), 1.0)
            for component, reason in down.components:
                described = self.fleet.components[component]
                factor = described.failed_factor if reason == "failure" else 1.0
                left[vehicle, component] = share * factor * described.repair.average
        return left

    def agree(self, visit: Visit, morning: Morning, time: float) -> None:
        """Parts are put aside, and the visit is on the first day from the wanted one on when both are there."""
        fleet = self.fleet
        vehicle = self.places[visit.vehicle] if visit.vehicle in self.places else fleet.vehicle(visit.vehicle)
        components = [fleet.component(name) for name in visit.components]
        where = f"visit of {visit.vehicle} on day {visit.day}"
        if visit.day < morning.earliest_day:
            raise InputError(f"{where}: expected day {morning.earliest_day} or later, {fleet.notice_days} days ahead")
        if not morning.up[vehicle]:
            raise InputError(f"{where}: it is down or in the workshop this morning: expected a vehicle that is up")
        twice = [fleet.parts[place] for place in components if place in self.bookings[vehicle]]
        if twice or not components:
            raise InputError(f"{where}: expected components without a visit, got {', '.join(twice) or 'none'}")
        parts = {place: self.store.take(place, time) for place in components}
        when = self.opening.opens((visit.day + self.world.warmup_days) * MINUTES_PER_DAY)
        there = max(parts.values())
        if there > when:
            when = self.opening.opens(-(-there // MINUTES_PER_DAY) * MINUTES_PER_DAY)
        for place, part in parts.items():
            self.book(vehicle, place, when, part)
        self.push(when, ARRIVAL, vehicle, None)

    def book(self, vehicle: int, component: int, when: float, part: float) -> None:
        """A component's visit is agreed, or moved, to a minute; its part is there from minute `part` on."""
        self.bookings[vehicle][component] = (when, part)
        day = when // MINUTES_PER_DAY if math.isfinite(when) else when
        self.visit_day[vehicle, component] = day - self.world.warmup_days

    def record(self) -> Record:
        """What is left at the end, parts in service included."""
        end = self.world.end_min
        served = {(stay.vehicle, stay.off) for stay in self.stays}
        for vehicle, down in self.down.items():
            if (vehicle, down.off) not in served:
                lost = self.ledger.stand(vehicle, dict(down.components), down.off, end)
                never = math.inf, math.inf, -1, 0.0
                self.stays.append(Stay(vehicle, *down[:-1], *never, down.components, lost, 0.0))
        for vehicle in np.flatnonzero(self.up).tolist():
            self.odometer[vehicle] = self.base[vehicle] + self.duties.work(vehicle, end)
        for vehicle, component in self.units:
            standing = self.down.get(vehicle)
            if standing is None or component not in dict(standing.components):
                self.retire(vehicle, component, end, "in service")
        return Record(self.world, tuple(self.stays), tuple(self.services), self.ledger, self.odometer)
