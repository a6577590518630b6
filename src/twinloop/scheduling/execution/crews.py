"""Crews that set machines up: so that each is done when the job should be there, and stays until its operation begins.

A crew begins when that is planned, or as soon as it can behind. It leaves when others need it or its hours end, and
then the machine is set up once more.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import simpy

from twinloop.contracts import Assignment
from twinloop.scheduling.execution.disruptions import NEVER
from twinloop.scheduling.execution.openings import Openings
from twinloop.scheduling.execution.progress import Process, Progress, SetUp
from twinloop.scheduling.execution.supply import Needs, Supply
from twinloop.scheduling.execution.working import Breakdowns
from twinloop.scheduling.problem.calendar import NEVER as CLOSED_FOR_GOOD


class Crews:
    """Set-ups by crews in the plan that is followed. leave: told the machine whose crew has to leave."""

    def __init__(
        self,
        progress: Progress,
        openings: Openings,
        supply: Supply,
        breakdowns: Mapping[str, Breakdowns],
        leave: Callable[[str], None],
    ) -> None:
        self._progress, self._openings, self._supply, self._breakdowns = progress, openings, supply, breakdowns
        self._env, self._leave = progress.env, leave

    def planned(self) -> list[tuple[Assignment, Needs]]:
        """Who sets machines up by plan, before each operation that needs it."""
        return [taker for machine in self._progress.shop.machines for taker in self._planned(machine)]

    def _planned(self, machine: str) -> Iterator[tuple[Assignment, Needs]]:
        progress = self._progress
        family = progress.families.get(machine)
        if machine in progress.running:
            family = progress.family(progress.running[machine].planned) or family
        for a in progress.rows[machine]:
            who = self._before(a, family)
            if who is not None:
                yield who, ((("pool", str(progress.shop.changeovers[machine].crew)), 1),)
            family = progress.family(a) or family

    def _before(self, a: Assignment, family: str | None) -> Assignment | None:
        """The set-up before an operation as planned, where a crew makes it."""
        shop = self._progress.shop
        if a.machine not in shop.changeovers or shop.changeovers[a.machine].crew is None:
            return None
        needed = 0 if self._progress.has_begun(a) else shop.setup(a.machine, family, self._progress.family(a))
        return replace(a, start=a.start - needed, end=a.start) if needed else None

    def set_up(self, a: Assignment) -> Process:
        """Set the machine up for an operation, where a crew has to; the crew then stays until that begins."""
        progress, env = self._progress, self._env
        who = self._before(a, progress.families.get(a.machine))
        if who is None:
            return
        needed = who.end - who.start
        while True:
            yield from self._breakdowns[a.machine].repaired(env)
            begin = self._openings.set_up_begin(a, needed)
            if begin > env.now:
                self._supply.step_aside()
                yield env.timeout(begin - env.now)
            elif self._supply.take(who, begin + needed):
                break
            else:
                progress.waits[a.machine] = self._supply.missing(who)
                yield from self._supply.changed(who)
        progress.waits.pop(a.machine, None)
        set_up = progress.set_ups[a.machine] = SetUp(who, env.now, env.now + needed)
        yield env.timeout(needed)
        env.process(self._stays(a, set_up))

    def _stays(self, a: Assignment, set_up: SetUp) -> Process:
        """Send a crew away that is done and waits for its operation when its hours end."""
        yield behind_all_else(self._env)
        if self._progress.set_ups.get(a.machine) is not set_up:
            return
        self._supply.lingers(set_up.who)
        closes = self._openings.set_up_hours(a).closes(self._env.now)
        until = min(closes if closes < CLOSED_FOR_GOOD else NEVER, self._supply.changes(set_up.who))
        if until < NEVER:
            yield self._env.timeout(until - self._env.now)
            if self._progress.set_ups.get(a.machine) is set_up:
                self._leave(a.machine)


def behind_all_else(env: simpy.Environment) -> simpy.Event:
    """Happens behind all else that happens at this moment."""
    behind = simpy.Event(env)
    behind._ok, behind._value = True, None
    env.schedule(behind, priority=simpy.events.EventPriority(2))
    return behind
