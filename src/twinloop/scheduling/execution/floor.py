"""The shop floor in SimPy: a process for each machine follows the plan's sequence as soon as everything allows.

Delays shift work to the right (Leon, Wu and Storer 1994). An operation that cannot pause starts when its planned
time fits before the next closed window; what then takes longer, or was interrupted by a breakdown, goes on when it is
open again: nothing runs in closed time but what is frozen. The operation before one that must not wait, or not for
long, is held back until the next machine should be free in time. A floor can be stopped at any moment and go on with
another plan.
"""

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import simpy

from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError, RunError
from twinloop.scheduling.execution.disruptions import NEVER, Luck
from twinloop.scheduling.execution.supply import Supply
from twinloop.scheduling.problem import Changeover, JobShop
from twinloop.scheduling.problem.calendar import ALWAYS, Closures, OpenTime
from twinloop.scheduling.problem.calendar import NEVER as CLOSED_FOR_GOOD
from twinloop.scheduling.problem.checks import without_ovens

Process = Generator[simpy.Event, Any, None]
Key = tuple[str, int]


@dataclass(frozen=True)
class Realised:
    """A planned operation and when it really ran, in minutes; repairs and pauses in between count as its time."""

    planned: Assignment
    start: float
    end: float


@dataclass
class Running:
    """An operation at work: its start, and when the planned minutes that are `left` since some time are due to end."""

    planned: Assignment
    start: float
    since: float
    left: float
    due: float


class Floor:
    """One replication of a plan; `realised` grows as operations finish."""

    def __init__(self, shop: JobShop, plan: Plan, luck: Luck) -> None:
        if shop.ovens:
            raise InputError(without_ovens("execution", shop))
        self.env, self.luck = simpy.Environment(initial_time=min([0, *(a.start for a in plan)])), luck
        self.realised: list[Realised] = []
        self.running: dict[str, Running] = {}
        self._waits: dict[str, str] = {}
        self._last: dict[str, Realised] = {}
        self._families = {machine: changeover.initial for machine, changeover in shop.changeovers.items()}
        self._finished: dict[Key, simpy.Event] = {}
        self._ends: dict[Key, Realised] = {}
        self._factors: dict[str, list[float]] = {}
        self._inspections: dict[str, list[float]] = {}
        self._machines: dict[str, simpy.Process] = {}
        self._milestones: list[simpy.Process] = []
        self._calendars = {machine: Calendar(luck.breakdowns(machine)) for machine in shop.machines}
        self.supply = Supply(self.env, shop, {m.name: luck.deliveries(m) for m in shop.materials})
        _check(shop)
        self._take_up(shop, plan)

    def follow(self, shop: JobShop, plan: Plan) -> None:
        """Go on with another plan of a shop that has changed; what runs is finished, what is done stays done."""
        for machine, process in self._machines.items():
            if machine not in self.running and process.is_alive:
                process.interrupt()
        for process in self._milestones:
            if process.is_alive:
                process.interrupt()
        self.supply.expect({material.name: self.luck.deliveries(material) for material in shop.materials})
        self._take_up(shop, plan)

    def _take_up(self, shop: JobShop, plan: Plan) -> None:
        self.shop, self._plain = shop, shop.plain
        for job in shop.jobs:
            if job.name not in self._factors:
                self._factors[job.name] = self.luck.factors(job.name, len(job.operations))
                self._inspections[job.name] = self.luck.inspections(job.name, len(job.operations))
        planned = [r.planned for r in self.realised] + [r.planned for r in self.running.values()]
        begun = {(a.job, a.operation) for a in planned}
        self._planned = {(a.job, a.operation): a for a in plan}
        rest = [a for a in plan if (a.job, a.operation) not in begun]
        for key in self._planned:
            self._finished.setdefault(key, self.env.event())
        self._fixed = {(a.job, a.operation): a for a in shop.frozen}
        self._closures = Closures(shop)
        self.supply.plan(shop, rest)
        self.rows: dict[str, list[Assignment]] = {machine: [] for machine in shop.machines}
        self._milestones = []
        for a in rest:
            if self._is_milestone(a):
                self._milestones.append(self.env.process(self._milestone(a)))
            else:
                self.rows[a.machine].append(a)
        for machine, row in self.rows.items():
            if machine not in self.running and row:
                self._machines[machine] = self.env.process(self._machine(machine))

    def run_until(self, time: float) -> None:
        """Go on to `time`; what happens then is still to come."""
        if time > self.env.now:
            self.env.run(until=time)
            self.env.step()  # SimPy leaves the stop itself in its queue

    @property
    def settled(self) -> bool:
        """Whether nothing will happen any more: all is done, or all stands still."""
        return self.env.peek() == NEVER

    def needs(self, machine: str) -> bool:
        """Whether the machine runs or is still to do something."""
        return machine in self.running or bool(self.rows[machine])

    def finish(self) -> list[Realised]:
        """Run until everything is done. Raises RunError that names what waits for what when it stands still."""
        self.env.run()
        if self._waits:
            waiting = "; ".join(f"{machine} waits for {what}" for machine, what in sorted(self._waits.items()))
            raise RunError(f"execution stands still: {waiting}: check the plan first")
        return self.realised

    def _machine(self, machine: str) -> Process:
        try:
            yield self.env.timeout(0)  # another plan may follow at the same moment, and must find nothing begun
            while self.rows[machine]:
                a = self.rows[machine][0]
                yield from self._ready(a)
                yield from self._admitted(a)
                del self.rows[machine][0]
                yield from self._run(a)
        except simpy.Interrupt:
            self._waits.pop(machine, None)

    def _milestone(self, a: Assignment) -> Process:
        """It happens as soon as its job and its material are there, whatever its machine does."""
        try:
            yield self.env.timeout(0)
            yield from self._ready(a)
            while (start := self._fits(a)) > self.env.now:
                yield self.env.timeout(start - self.env.now)
            while not self.supply.take(self.shop, a):
                self._waits[self._waiter(a)] = self.supply.missing(self.shop, a)
                yield from self.supply.changed(a)
            self._waits.pop(self._waiter(a), None)
            self._done(Realised(a, self.env.now, self.env.now))
        except simpy.Interrupt:
            self._waits.pop(self._waiter(a), None)

    def _done(self, realised: Realised) -> None:
        a = realised.planned
        self.realised.append(realised)
        self._ends[a.job, a.operation] = realised
        self.supply.give_back(self.shop, a)
        self._finished[a.job, a.operation].succeed()

    def _ready(self, a: Assignment) -> Process:
        """Wait for the job's operation before, or the jobs that come first, and for transport and set-up."""
        job = self.shop.by_name[a.job]
        before = [(a.job, a.operation - 1)]
        if a.operation == 0:
            before = [(other, len(self.shop.by_name[other].operations) - 1) for other in job.after]
        for key in before:
            self._waits[self._waiter(a)] = f"job {key[0]} operation {key[1]}"
            yield self._finished[key]
        self._waits.pop(self._waiter(a), None)
        ready = float(job.opens)
        if a.operation:
            done = self._ends[a.job, a.operation - 1]
            ready = done.end + self.shop.transport.get((done.planned.machine, a.machine), 0)
        if not self._is_milestone(a):
            free = self._last[a.machine].end if a.machine in self._last else 0.0
            ready = max(ready, self._set_up(a, free, self._families.get(a.machine)))
        ready = a.start if self._has_begun(a) else max(ready, 0.0)
        if ready > self.env.now:
            yield self.env.timeout(ready - self.env.now)

    def _admitted(self, a: Assignment) -> Process:
        """Wait until the machine is up and open, what must follow at once can, and people and material are there."""
        while True:
            yield from self._calendars[a.machine].repaired(self.env)
            if self._plain:
                return
            start = self._fits(a)
            if start > self.env.now:
                self.supply.step_aside()
                yield self.env.timeout(start - self.env.now)
                continue
            if self.supply.take(self.shop, a):
                self._waits.pop(a.machine, None)
                return
            self._waits[a.machine] = self.supply.missing(self.shop, a)
            yield from self.supply.changed(a)

    def _run(self, a: Assignment) -> Process:
        hours, least = self._hours(a), self._least_run(a)
        planned, now = self._planned_minutes(a), self.env.now
        begun = self.running[a.machine] = Running(a, now, now, planned, hours.done(now, planned, least=least))

        def interrupted(fails: float, up: float) -> None:
            begun.left -= hours.worked(begun.since, fails, begun.left, least=least)
            begun.since = hours.first(up, 0)
            begun.due = hours.done(begun.since, begun.left, least=least)

        minutes = planned * self._factors[a.job][a.operation]
        minutes = self.luck.rounded(self.luck.reworked(minutes, a.machine, self._inspections[a.job][a.operation]))
        yield from self._calendars[a.machine].work(self.env, minutes, hours, least, interrupted)
        del self.running[a.machine]
        self._families[a.machine] = self._family(a) or self._families.get(a.machine)
        self._last[a.machine] = Realised(a, begun.start, self.env.now)
        self._done(self._last[a.machine])

    def expected_end(self, begun: Running) -> float:
        """When a running operation should end, as far as anybody knows now."""
        return max(begun.due, self.env.now)

    def _planned_minutes(self, a: Assignment) -> int:
        if self._is_fixed(a):
            return a.end - a.start
        return self.shop.by_name[a.job].operations[a.operation].on(a.machine)

    def _is_fixed(self, a: Assignment) -> bool:
        return (a.job, a.operation) in self._fixed

    def _has_begun(self, a: Assignment) -> bool:
        """Whether it is work in progress, begun before time 0."""
        return a.start < 0 and self._is_fixed(a)

    def _is_milestone(self, a: Assignment) -> bool:
        return self.shop.by_name[a.job].operations[a.operation].milestone

    def _waiter(self, a: Assignment) -> str:
        return f"job {a.job} operation {a.operation}" if self._is_milestone(a) else a.machine

    def _family(self, a: Assignment) -> str | None:
        return self.shop.by_name[a.job].operations[a.operation].family

    def _set_up(self, a: Assignment, free: float, family: str | None) -> float:
        """When a machine that is free from some time on, set up for a family, can be set up for the operation."""
        needed = self.shop.setup(a.machine, family, self._family(a)) if self.shop.setups else 0
        if not needed or self.shop.changeovers.get(a.machine, Changeover()).unattended:
            return free + needed
        return self._closures.on(a.machine).first(free, needed) + needed

    def _hours(self, a: Assignment) -> OpenTime:
        """When the operation can run."""
        if self._plain or self._is_fixed(a):
            return ALWAYS
        return self._closures.of(self.shop.by_name[a.job].operations[a.operation], a.machine)

    def _least_run(self, a: Assignment) -> float:
        """Before a pause, 0 where it does not matter; what cannot pause by plan does so where it must."""
        operation = self.shop.by_name[a.job].operations[a.operation]
        return operation.least_run if operation.resumable and operation.least_run > 1 else 0

    def _opens(self, a: Assignment, time: float) -> float:
        if self._is_fixed(a):
            return max(time, a.start)
        operation, planned = self.shop.by_name[a.job].operations[a.operation], self._planned_minutes(a)
        opens = self._hours(a).first(time, planned, least=operation.unbroken(planned))
        if opens >= CLOSED_FOR_GOOD:
            raise RunError(
                f"execution stands still: job {a.job} operation {a.operation} needs {planned} from {time:g} on, and "
                f"{a.machine} has no such opening any more: check the calendar's end"
            )
        return opens

    def _fits(self, a: Assignment) -> float:
        """Earliest start from now on at which the calendar lets it run, and what follows without waiting as well."""
        start = self._opens(a, self.env.now)
        block = list(self._block(a))
        if len(block) == 1 or self._patience(a) is not None or self._has_begun(a):
            return start
        start = self._opens(a, max(start, a.start))
        while late := self._lateness(block, start):
            start = self._opens(a, start + late)
        return start

    def _block(self, a: Assignment) -> Iterator[Assignment]:
        yield a
        operations = self.shop.by_name[a.job].operations
        for number in range(a.operation + 1, len(operations)):
            if operations[number].longest_wait is None or (a.job, number) not in self._planned:
                return
            yield self._planned[a.job, number]

    def _lateness(self, block: Sequence[Assignment], start: float) -> float:
        """How much longer the block's first operation has to wait so that no other one has to."""
        for before, a in itertools.pairwise(block):
            end = self._hours(before).done(start, self._planned_minutes(before), least=self._least_run(before))
            start = end + self.shop.transport.get((before.machine, a.machine), 0)
            opens = self._opens(a, max(start, self._free(a, block)))
            if opens > start + (self._patience(a) or 0):
                return opens - start - (self._patience(a) or 0)
            start = opens
        return 0.0

    def _patience(self, a: Assignment) -> int | None:
        return self.shop.by_name[a.job].operations[a.operation].longest_wait

    def _free(self, a: Assignment, block: Sequence[Assignment]) -> float:
        """When the operation's machine should be free for it, if all before it in the row go as planned."""
        if self._is_milestone(a):
            return self.env.now
        time, family = self.env.now, self._families.get(a.machine)
        if a.machine in self.running:
            begun = self.running[a.machine]
            time, family = self.expected_end(begun), self._family(begun.planned) or family
        elif a.machine in self._last:
            time = self._last[a.machine].end
        for b in self.rows[a.machine]:
            time = self._set_up(b, time, family)
            if b == a:
                return time
            if b in block:
                return 0.0  # the block's own order sees to it
            time, family = max(time, b.start, self.env.now) + (b.end - b.start), self._family(b) or family
        return time


def _check(shop: JobShop) -> None:
    """Raise InputError for what is planned and checked, but not executed yet."""
    for machine, changeover in shop.changeovers.items():
        if changeover.crew is not None and shop.setups.get(machine):
            raise InputError(
                f"execution: set-ups of {machine} take a crew from {changeover.crew}, which only plans and their "
                "checker follow so far: leave the crew out to execute the plan"
            )
    for pool in shop.pools:
        if pool.calendar is not None and not pool.calendar.even(pool.capacity):
            raise InputError(
                f"execution: pool {pool.name} has fewer units in some shifts, which only plans and their checker "
                "follow so far: give its shifts all units to execute the plan"
            )


class Calendar:
    """A machine's breakdowns, met one after the other."""

    def __init__(self, breakdowns: Iterable[tuple[float, float]]) -> None:
        self._coming = iter(breakdowns)
        self._next()

    def _next(self) -> None:
        self.fails_at, self.up_at = next(self._coming, (NEVER, NEVER))

    def repaired(self, env: simpy.Environment) -> Process:
        """Let failures pass that came while the machine stood idle, and wait where one still lasts."""
        while self.up_at <= env.now:
            self._next()
        if self.fails_at <= env.now:
            yield env.timeout(self.up_at - env.now)
            self._next()

    def work(
        self,
        env: simpy.Environment,
        minutes: float,
        hours: OpenTime,
        least: float,
        interrupted: Callable[[float, float], None],
    ) -> Process:
        """Occupy the machine for `minutes` of running; work resumes after a repair and after a closed window."""
        while (end := hours.done(env.now, minutes, least=least)) > self.fails_at:
            fails, up = self.fails_at, self.up_at
            minutes -= hours.worked(env.now, fails, minutes, least=least)
            interrupted(fails, up)
            yield env.timeout(up - env.now)
            self._next()
            yield from self.repaired(env)
            opens = hours.first(env.now, 0)
            while opens > env.now:
                yield env.timeout(opens - env.now)
                yield from self.repaired(env)
                opens = hours.first(env.now, 0)
        yield env.timeout(end - env.now)
