"""The shop floor in SimPy: a process for each machine follows the plan's sequence as soon as everything allows.

Delays shift work to the right (Leon, Wu and Storer 1994). An operation that cannot pause starts when its planned
time fits before the next closed window; what then takes longer, or was interrupted by a breakdown, goes on when it is
open again: nothing runs in closed time but what is frozen. The operation before one that must not wait, or not for
long, is held back until the next machine should be free in time. A crew sets a machine up when that is planned, or as
soon as it can behind, so that it is done when the job should be there; it stays until the operation begins, but leaves
when others need it or its hours end, and then sets up once more. A floor can be stopped at any moment and go on with
another plan.
"""

import itertools
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import simpy

from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError, RunError
from twinloop.scheduling.execution.disruptions import NEVER, Luck
from twinloop.scheduling.execution.supply import Needs, Supply, needs_of
from twinloop.scheduling.execution.wearing import Wearing, WornMachine
from twinloop.scheduling.execution.working import Breakdowns, Sharing
from twinloop.scheduling.problem import Changeover, JobShop
from twinloop.scheduling.problem.calendar import ALWAYS, Closures, OpenTime
from twinloop.scheduling.problem.calendar import NEVER as CLOSED_FOR_GOOD
from twinloop.scheduling.problem.checks import without_ovens

Process = Generator[simpy.Event, Any, None]
Key = tuple[str, int]
CALLED_AWAY = "called away"
NOTHING_WEARS: Mapping[str, Wearing] = {}


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


class Floor:
    """One replication of a plan; `realised` grows as operations finish. wearing: machines that fail by their wear."""

    def __init__(
        self, shop: JobShop, plan: Plan, luck: Luck, *, wearing: Mapping[str, Wearing] = NOTHING_WEARS
    ) -> None:
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
        self._set_ups: dict[str, SetUp] = {}
        # What wears fails by its work in place of the calendar.
        self.worn = {machine: WornMachine(machine, each, luck.streams) for machine, each in wearing.items()}
        calendar = {machine: Breakdowns(machine, luck.breakdowns(machine)) for machine in shop.machines}
        self._breakdowns: Mapping[str, Breakdowns] = {**calendar, **self.worn}
        deliveries = {material.name: luck.deliveries(material) for material in shop.materials}
        self.supply = Supply(self.env, shop, deliveries, self._call_away)
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
        self.rows: dict[str, list[Assignment]] = {machine: [] for machine in shop.machines}
        for a in rest:
            if not self._is_milestone(a):
                self.rows[a.machine].append(a)
        takers = [(a, needs_of(shop.by_name[a.job].operations[a.operation])) for a in rest]
        crews = [(who, needs) for machine in shop.machines for who, needs in self._crews(machine)]
        self.supply.plan(sorted([*crews, *takers], key=lambda taker: taker[0].start) if crews else takers)
        self._milestones = [self.env.process(self._milestone(a)) for a in rest if self._is_milestone(a)]
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
                try:
                    yield from self._by_crew(a)
                    yield from self._ready(a)
                    yield from self._admitted(a)
                except simpy.Interrupt as interrupt:
                    self._waits.pop(machine, None)
                    if machine in self._set_ups:
                        self.supply.give_back(self._set_ups.pop(machine).who)
                    if interrupt.cause != CALLED_AWAY:
                        return
                    yield self._all_else()  # whoever needs the crew is faster
                    continue
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
            while not self.supply.take(a, self.env.now):
                self._waits[self._waiter(a)] = self.supply.missing(a)
                yield from self.supply.changed(a)
            self._waits.pop(self._waiter(a), None)
            self._done(Realised(a, self.env.now, self.env.now))
        except simpy.Interrupt:
            self._waits.pop(self._waiter(a), None)

    def _done(self, realised: Realised) -> None:
        a = realised.planned
        self.realised.append(realised)
        self._ends[a.job, a.operation] = realised
        self.supply.give_back(a)
        self._finished[a.job, a.operation].succeed()

    def _ready(self, a: Assignment) -> Process:
        """Wait for the job's operation before, or the jobs that come first, and for transport and set-up."""
        job = self.shop.by_name[a.job]
        for key in self._before(a):
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
            yield from self._breakdowns[a.machine].repaired(self.env)
            if self._plain:
                return
            start = self._fits(a)
            if start > self.env.now:
                self.supply.step_aside()
                yield self.env.timeout(start - self.env.now)
                continue
            until: float = NEVER
            if self.supply.shifts(a):
                until = self._hours(a).done(self.env.now, self._planned_minutes(a), least=self._least_run(a))
            handing = self._set_ups[a.machine].who if a.machine in self._set_ups else None
            if self.supply.take(a, until, handing, decided=self._is_fixed(a)):
                self._waits.pop(a.machine, None)
                return
            self._waits[a.machine] = self.supply.missing(a)
            yield from self.supply.changed(a)

    def _by_crew(self, a: Assignment) -> Process:
        """Set the machine up for an operation, where a crew has to; the crew then stays until that begins."""
        who = self._crewed(a, self._families.get(a.machine))
        if who is None:
            return
        needed = who.end - who.start
        while True:
            yield from self._breakdowns[a.machine].repaired(self.env)
            begin = self._set_up_begin(a, needed)
            if begin > self.env.now:
                self.supply.step_aside()
                yield self.env.timeout(begin - self.env.now)
            elif self.supply.take(who, begin + needed):
                break
            else:
                self._waits[a.machine] = self.supply.missing(who)
                yield from self.supply.changed(who)
        self._waits.pop(a.machine, None)
        set_up = self._set_ups[a.machine] = SetUp(who, self.env.now, self.env.now + needed)
        yield self.env.timeout(needed)
        self.env.process(self._stays(a, set_up))

    def _stays(self, a: Assignment, set_up: SetUp) -> Process:
        """Send a crew away that is done and waits for its operation when its hours end."""
        yield self._all_else()
        if self._set_ups.get(a.machine) is not set_up:
            return
        self.supply.lingers(set_up.who)
        closes = self._set_up_hours(a).closes(self.env.now)
        until = min(closes if closes < CLOSED_FOR_GOOD else NEVER, self.supply.changes(set_up.who))
        if until < NEVER:
            yield self.env.timeout(until - self.env.now)
            if self._set_ups.get(a.machine) is set_up:
                self._call_away(set_up.who)

    def _all_else(self) -> simpy.Event:
        """Happens behind all else that happens at this moment."""
        behind = simpy.Event(self.env)
        behind._ok, behind._value = True, None
        self.env.schedule(behind, priority=simpy.events.EventPriority(2))
        return behind

    def _call_away(self, who: Assignment) -> None:
        if who.machine in self._set_ups and self._set_ups[who.machine].who == who:
            self._machines[who.machine].interrupt(CALLED_AWAY)

    def _crews(self, machine: str) -> Iterator[tuple[Assignment, Needs]]:
        """Who sets the machine up by plan, before each operation that needs it."""
        family = self._families.get(machine)
        if machine in self.running:
            family = self._family(self.running[machine].planned) or family
        for a in self.rows[machine]:
            who = self._crewed(a, family)
            if who is not None:
                yield who, ((("pool", str(self.shop.changeovers[machine].crew)), 1),)
            family = self._family(a) or family

    def _crewed(self, a: Assignment, family: str | None) -> Assignment | None:
        """The set-up before an operation as planned, where a crew makes it."""
        if a.machine not in self.shop.changeovers or self.shop.changeovers[a.machine].crew is None:
            return None
        needed = 0 if self._has_begun(a) else self.shop.setup(a.machine, family, self._family(a))
        return replace(a, start=a.start - needed, end=a.start) if needed else None

    def _set_up_begin(self, a: Assignment, needed: float) -> float:
        """When a crew should begin from now on, so that the operation should be able to begin when it is done."""
        ready = max(self.env.now + needed, a.start, self._arrives(a))
        while True:
            begin = self._set_up_hours(a).first(ready - needed, needed)
            if begin >= CLOSED_FOR_GOOD:
                raise RunError(
                    f"execution stands still: the set-up before job {a.job} operation {a.operation} needs {needed} "
                    f"from {self.env.now:g} on, and {a.machine} has no such opening any more: check the calendar's end"
                )
            ready = self._opens(a, begin + needed)
            if ready <= begin + needed:
                return begin

    def _arrives(self, a: Assignment) -> float:
        """When its job should be at its machine, as far as anybody knows now."""
        arrival = float(self.shop.by_name[a.job].opens)
        for key in self._before(a):
            before = self._planned[key]
            way = self.shop.transport.get((before.machine, a.machine), 0) if a.operation else 0
            begun = self.running.get(before.machine)
            if key in self._ends:
                end = self._ends[key].end
            elif begun is not None and (begun.planned.job, begun.planned.operation) == key:
                end = self.expected_end(begun)
            else:
                end = max(before.end, self.env.now + self._planned_minutes(before))
            arrival = max(arrival, end + way)
        return arrival

    def _before(self, a: Assignment) -> list[Key]:
        """The operations that must be done before one: the job's last one, or the last ones of jobs that come first."""
        if a.operation:
            return [(a.job, a.operation - 1)]
        return [(other, len(self.shop.by_name[other].operations) - 1) for other in self.shop.by_name[a.job].after]

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
        set_up, away = self._set_ups.pop(a.machine, None), list[tuple[float, float]]()
        if self.supply.shifts(a):
            sharing = Sharing(self.supply, a, away, self._is_fixed(a))
            yield from self._breakdowns[a.machine].work_in_shifts(self.env, minutes, hours, least, interrupted, sharing)
        else:
            yield from self._breakdowns[a.machine].work(self.env, minutes, hours, least, interrupted)
        del self.running[a.machine]
        self._families[a.machine] = self._family(a) or self._families.get(a.machine)
        crewed = None if set_up is None else (set_up.begin, set_up.done)
        self._last[a.machine] = Realised(a, begun.start, self.env.now, crewed, tuple(away))
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
        if not needed:
            return free
        if a.machine in self._set_ups and a == self.rows[a.machine][0]:
            return max(free, self._set_ups[a.machine].done)
        if self.shop.changeovers.get(a.machine, Changeover()).crew is not None:
            free = max(free, a.start - needed)
        return self._set_up_hours(a).first(free, needed) + needed

    def _set_up_hours(self, a: Assignment) -> OpenTime:
        """When the machine can be set up for the operation."""
        crewed = self.shop.changeovers.get(a.machine, Changeover()).crew is not None
        return ALWAYS if crewed and self._is_fixed(a) else self._closures.of_set_up(a.machine)

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
