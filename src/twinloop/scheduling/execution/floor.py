"""The shop floor in SimPy: a process for each machine follows the plan's sequence as soon as everything allows.

Delays shift work to the right (Leon, Wu and Storer 1994). What takes longer than planned, or was interrupted by a
breakdown, goes on when it is open again: nothing runs in closed time but what is frozen (`openings.py`). A floor can be
stopped at any moment and go on with another plan.
"""

from collections.abc import Mapping

import simpy

from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError, RunError
from twinloop.scheduling.execution.crews import Crews, behind_all_else
from twinloop.scheduling.execution.disruptions import NEVER, Luck
from twinloop.scheduling.execution.openings import Openings
from twinloop.scheduling.execution.progress import Key, Process, Progress, Realised, Running
from twinloop.scheduling.execution.supply import Supply, needs_of
from twinloop.scheduling.execution.wearing import Wearing, WornMachine
from twinloop.scheduling.execution.working import Breakdowns, Sharing
from twinloop.scheduling.problem import JobShop

CALLED_AWAY = "called away"
NOTHING_WEARS: Mapping[str, Wearing] = {}


class Floor:
    """One replication of a plan; `realised` grows as operations finish. wearing: machines that fail by their wear."""

    def __init__(
        self, shop: JobShop, plan: Plan, luck: Luck, *, wearing: Mapping[str, Wearing] = NOTHING_WEARS
    ) -> None:
        if shop.ovens:
            raise InputError(
                f"execution: cannot run {', '.join(shop.ovens)}, which takes several operations at once: only plan it"
            )
        self.env, self.luck = simpy.Environment(initial_time=min([0, *(a.start for a in plan)])), luck
        self._progress = Progress(self.env, shop)
        self._finished: dict[Key, simpy.Event] = {}
        self._factors: dict[str, list[float]] = {}
        self._inspections: dict[str, list[float]] = {}
        self._machines: dict[str, simpy.Process] = {}
        self._milestones: list[simpy.Process] = []
        # What wears fails by its work in place of the calendar.
        self.worn = {machine: WornMachine(machine, each, luck.streams) for machine, each in wearing.items()}
        calendar = {machine: Breakdowns(machine, luck.breakdowns(machine)) for machine in shop.machines}
        self._breakdowns: Mapping[str, Breakdowns] = {**calendar, **self.worn}
        deliveries = {material.name: luck.deliveries(material) for material in shop.materials}
        self._supply = Supply(self.env, shop, deliveries, self._call_away)
        self._openings = Openings(self._progress)
        self._crews = Crews(self._progress, self._openings, self._supply, self._breakdowns, self._send_away)
        self._take_up(shop, plan)

    @property
    def realised(self) -> list[Realised]:
        """What is done, in the order of its ends."""
        return self._progress.realised

    @property
    def running(self) -> Mapping[str, Running]:
        """What is at work, by machine."""
        return self._progress.running

    def expected_end(self, begun: Running) -> float:
        """When a running operation should end, as far as anybody knows now."""
        return self._progress.expected_end(begun)

    def follow(self, shop: JobShop, plan: Plan) -> None:
        """Go on with another plan of a shop that has changed; what runs is finished, what is done stays done."""
        for machine, process in self._machines.items():
            if machine not in self.running and process.is_alive:
                process.interrupt()
        for process in self._milestones:
            if process.is_alive:
                process.interrupt()
        self._supply.expect({material.name: self.luck.deliveries(material) for material in shop.materials})
        self._take_up(shop, plan)

    def _take_up(self, shop: JobShop, plan: Plan) -> None:
        progress = self._progress
        for job in shop.jobs:
            if job.name not in self._factors:
                self._factors[job.name] = self.luck.factors(job.name, len(job.operations))
                self._inspections[job.name] = self.luck.inspections(job.name, len(job.operations))
        rest = progress.take_up(shop, plan)
        for key in progress.planned:
            self._finished.setdefault(key, self.env.event())
        takers = [(a, needs_of(shop.by_name[a.job].operations[a.operation])) for a in rest]
        crews = self._crews.planned()
        self._supply.plan(sorted([*crews, *takers], key=lambda taker: taker[0].start) if crews else takers)
        self._milestones = [self.env.process(self._milestone(a)) for a in rest if progress.is_milestone(a)]
        for machine, row in progress.rows.items():
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
        return machine in self.running or bool(self._progress.rows[machine])

    def finish(self) -> list[Realised]:
        """Run until everything is done. Raises RunError that names what waits for what when it stands still."""
        self.env.run()
        if self._progress.waits:
            waiting = "; ".join(f"{who} waits for {what}" for who, what in sorted(self._progress.waits.items()))
            raise RunError(f"execution stands still: {waiting}: check the plan first")
        return self.realised

    def _machine(self, machine: str) -> Process:
        progress = self._progress
        try:
            yield self.env.timeout(0)  # another plan may follow at the same moment, and must find nothing begun
            while progress.rows[machine]:
                a = progress.rows[machine][0]
                try:
                    yield from self._crews.set_up(a)
                    yield from self._ready(a)
                    yield from self._admitted(a)
                except simpy.Interrupt as interrupt:
                    progress.waits.pop(machine, None)
                    if machine in progress.set_ups:
                        self._supply.give_back(progress.set_ups.pop(machine).who)
                    if interrupt.cause != CALLED_AWAY:
                        return
                    yield behind_all_else(self.env)  # whoever needs the crew is faster
                    continue
                del progress.rows[machine][0]
                yield from self._run(a)
        except simpy.Interrupt:
            progress.waits.pop(machine, None)

    def _milestone(self, a: Assignment) -> Process:
        """It happens as soon as its job and its material are there, whatever its machine does."""
        progress = self._progress
        try:
            yield self.env.timeout(0)
            yield from self._ready(a)
            while (start := self._openings.fits(a)) > self.env.now:
                yield self.env.timeout(start - self.env.now)
            while not self._supply.take(a, self.env.now):
                progress.waits[progress.waiter(a)] = self._supply.missing(a)
                yield from self._supply.changed(a)
            progress.waits.pop(progress.waiter(a), None)
            self._done(Realised(a, self.env.now, self.env.now))
        except simpy.Interrupt:
            progress.waits.pop(progress.waiter(a), None)

    def _done(self, realised: Realised) -> None:
        a = realised.planned
        self._progress.done(realised)
        self._supply.give_back(a)
        self._finished[a.job, a.operation].succeed()

    def _ready(self, a: Assignment) -> Process:
        """Wait for the job's operation before, or the jobs that come first, and for transport and set-up."""
        progress = self._progress
        job = progress.shop.by_name[a.job]
        for key in progress.before(a):
            progress.waits[progress.waiter(a)] = f"job {key[0]} operation {key[1]}"
            yield self._finished[key]
        progress.waits.pop(progress.waiter(a), None)
        ready = float(job.opens)
        if a.operation:
            done = progress.ends[a.job, a.operation - 1]
            ready = done.end + progress.shop.transport.get((done.planned.machine, a.machine), 0)
        if not progress.is_milestone(a):
            free = progress.last[a.machine].end if a.machine in progress.last else 0.0
            ready = max(ready, self._openings.set_up(a, free, progress.families.get(a.machine)))
        ready = a.start if progress.has_begun(a) else max(ready, 0.0)
        if ready > self.env.now:
            yield self.env.timeout(ready - self.env.now)

    def _admitted(self, a: Assignment) -> Process:
        """Wait until the machine is up and open, what must follow at once can, and people and material are there."""
        progress = self._progress
        while True:
            yield from self._breakdowns[a.machine].repaired(self.env)
            if progress.plain:
                return
            start = self._openings.fits(a)
            if start > self.env.now:
                self._supply.step_aside()
                yield self.env.timeout(start - self.env.now)
                continue
            until: float = NEVER
            if self._supply.shifts(a):
                hours, least = self._openings.hours(a), self._openings.least_run(a)
                until = hours.done(self.env.now, progress.planned_minutes(a), least=least)
            handing = progress.set_ups[a.machine].who if a.machine in progress.set_ups else None
            if self._supply.take(a, until, handing, decided=progress.is_fixed(a)):
                progress.waits.pop(a.machine, None)
                return
            progress.waits[a.machine] = self._supply.missing(a)
            yield from self._supply.changed(a)

    def _call_away(self, who: Assignment) -> None:
        set_up = self._progress.set_ups.get(who.machine)
        if set_up is not None and set_up.who == who:
            self._send_away(who.machine)

    def _send_away(self, machine: str) -> None:
        self._machines[machine].interrupt(CALLED_AWAY)

    def _run(self, a: Assignment) -> Process:
        progress = self._progress
        hours, least = self._openings.hours(a), self._openings.least_run(a)
        planned, now = progress.planned_minutes(a), self.env.now
        begun = progress.running[a.machine] = Running(a, now, now, planned, hours.done(now, planned, least=least))

        def interrupted(fails: float, up: float) -> None:
            begun.left -= hours.worked(begun.since, fails, begun.left, least=least)
            begun.since = hours.first(up, 0)
            begun.due = hours.done(begun.since, begun.left, least=least)

        minutes = planned * self._factors[a.job][a.operation]
        minutes = self.luck.rounded(self.luck.reworked(minutes, a.machine, self._inspections[a.job][a.operation]))
        set_up, away = progress.set_ups.pop(a.machine, None), list[tuple[float, float]]()
        if self._supply.shifts(a):
            sharing = Sharing(self._supply, a, away, progress.is_fixed(a))
            yield from self._breakdowns[a.machine].work_in_shifts(self.env, minutes, hours, least, interrupted, sharing)
        else:
            yield from self._breakdowns[a.machine].work(self.env, minutes, hours, least, interrupted)
        del progress.running[a.machine]
        progress.families[a.machine] = progress.family(a) or progress.families.get(a.machine)
        crewed = None if set_up is None else (set_up.begin, set_up.done)
        progress.last[a.machine] = Realised(a, begun.start, self.env.now, crewed, tuple(away))
        self._done(progress.last[a.machine])
