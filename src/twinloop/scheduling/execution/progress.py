"""How far a plan has come on the floor: what is done, what runs and what is to come, and who waits for what."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import simpy

from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.problem.calendar import Closures

Process = Generator[simpy.Event, Any, None]
Key = tuple[str, int]


@dataclass(frozen=True)
class Realised:
    """A planned operation and when it really ran, in minutes; repairs and pauses in between count as its time.

    set_up: when a crew began and ended the set-up before it. away: times in between without its people, where a pool
    has fewer in some shifts.
    """

    planned: Assignment
    start: float
    end: float
    set_up: tuple[float, float] | None = None
    away: tuple[tuple[float, float], ...] = ()


@dataclass
class Running:
    """An operation at work: its start, and when the planned minutes that are `left` since some time are due to end."""

    planned: Assignment
    start: float
    since: float
    left: float
    due: float


@dataclass
class SetUp:
    """A set-up by a crew, which is there since `begin` and done at `done`; `who` takes the crew."""

    who: Assignment
    begin: float
    done: float


class Progress:
    """What has become of the plan that is followed.

    rows: what is still to begin on every machine, in its order. planned: all operations of the plan. realised: what is
    done, in the order of its ends; `ends` by operation, `last` by machine. families: what machines are set up for.
    set_ups: by a crew, for the next operation. waits: who cannot go on, and what for. closures: hours of machines.
    """

    def __init__(self, env: simpy.Environment, shop: JobShop) -> None:
        self.env = env
        self.realised: list[Realised] = []
        self.running: dict[str, Running] = {}
        self.waits: dict[str, str] = {}
        self.last: dict[str, Realised] = {}
        self.ends: dict[Key, Realised] = {}
        self.families = {machine: changeover.initial for machine, changeover in shop.changeovers.items()}
        self.set_ups: dict[str, SetUp] = {}

    def take_up(self, shop: JobShop, plan: Plan) -> list[Assignment]:
        """Follow another plan; gives what is still to begin."""
        self.shop, self.plain = shop, shop.plain
        planned = [r.planned for r in self.realised] + [r.planned for r in self.running.values()]
        begun = {(a.job, a.operation) for a in planned}
        self.planned = {(a.job, a.operation): a for a in plan}
        self._fixed = {(a.job, a.operation) for a in shop.frozen}
        self.closures = Closures(shop)
        rest = [a for a in plan if (a.job, a.operation) not in begun]
        self.rows: dict[str, list[Assignment]] = {machine: [] for machine in shop.machines}
        for a in rest:
            if not self.is_milestone(a):
                self.rows[a.machine].append(a)
        return rest

    def done(self, realised: Realised) -> None:
        """An operation is done."""
        self.realised.append(realised)
        self.ends[realised.planned.job, realised.planned.operation] = realised

    def before(self, a: Assignment) -> list[Key]:
        """The operations that must be done before one: the job's last one, or the last ones of jobs that come first."""
        if a.operation:
            return [(a.job, a.operation - 1)]
        return [(other, len(self.shop.by_name[other].operations) - 1) for other in self.shop.by_name[a.job].after]

    def arrives(self, a: Assignment) -> float:
        """When its job should be at its machine, as far as anybody knows now."""
        arrival = float(self.shop.by_name[a.job].opens)
        for key in self.before(a):
            before = self.planned[key]
            way = self.shop.transport.get((before.machine, a.machine), 0) if a.operation else 0
            begun = self.running.get(before.machine)
            if key in self.ends:
                end = self.ends[key].end
            elif begun is not None and (begun.planned.job, begun.planned.operation) == key:
                end = self.expected_end(begun)
            else:
                end = max(before.end, self.env.now + self.planned_minutes(before))
            arrival = max(arrival, end + way)
        return arrival

    def expected_end(self, begun: Running) -> float:
        """When a running operation should end, as far as anybody knows now."""
        return max(begun.due, self.env.now)

    def planned_minutes(self, a: Assignment) -> int:
        """Its time on its machine, frozen or of the shop."""
        if self.is_fixed(a):
            return a.end - a.start
        return self.shop.by_name[a.job].operations[a.operation].on(a.machine)

    def is_fixed(self, a: Assignment) -> bool:
        """Whether it is frozen."""
        return (a.job, a.operation) in self._fixed

    def has_begun(self, a: Assignment) -> bool:
        """Whether it is work in progress, begun before time 0."""
        return a.start < 0 and self.is_fixed(a)

    def is_milestone(self, a: Assignment) -> bool:
        """Whether it takes no machine."""
        return self.shop.by_name[a.job].operations[a.operation].milestone

    def waiter(self, a: Assignment) -> str:
        """Who waits while it cannot begin."""
        return f"job {a.job} operation {a.operation}" if self.is_milestone(a) else a.machine

    def family(self, a: Assignment) -> str | None:
        """What its machine must be set up for."""
        return self.shop.by_name[a.job].operations[a.operation].family
