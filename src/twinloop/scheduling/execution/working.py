"""Work on a machine that fails now and then, is closed now and then, and whose people may change shifts.

What is interrupted goes on when the machine is up and open again: nothing runs in closed time.
"""

from collections.abc import Callable, Generator, Iterable
from typing import Any, NamedTuple

import simpy

from twinloop.contracts import Assignment
from twinloop.errors import RunError
from twinloop.scheduling.execution.disruptions import NEVER
from twinloop.scheduling.execution.supply import Supply
from twinloop.scheduling.problem.calendar import NEVER as CLOSED_FOR_GOOD
from twinloop.scheduling.problem.calendar import OpenTime

Process = Generator[simpy.Event, Any, None]
Interrupted = Callable[[float, float], None]


class Sharing(NamedTuple):
    """Who shares pools whose shifts differ. away: gets the times without units. decided: it goes on all the same."""

    supply: Supply
    who: Assignment
    away: list[tuple[float, float]]
    decided: bool


class Breakdowns:
    """A machine's breakdowns, met one after the other."""

    def __init__(self, machine: str, breakdowns: Iterable[tuple[float, float]]) -> None:
        self._machine = machine
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
        interrupted: Interrupted,
    ) -> Process:
        """Occupy the machine for `minutes` of running; work resumes after a repair and after a closed window."""
        while (end := self._end(hours, env.now, minutes, least)) > self.fails_at:
            fails, up = self.fails_at, self.up_at
            minutes -= hours.worked(env.now, fails, minutes, least=least)
            interrupted(fails, up)
            yield env.timeout(up - env.now)
            self._next()
            yield from self.repaired(env)
            opens = hours.first(env.now, 0)
            while env.now < opens < CLOSED_FOR_GOOD:
                yield env.timeout(opens - env.now)
                yield from self.repaired(env)
                opens = hours.first(env.now, 0)
        yield env.timeout(end - env.now)

    def _end(self, hours: OpenTime, since: float, left: float, least: float) -> float:
        """When work is done that goes on from some time on. Raises RunError where it never is."""
        end = hours.done(since, left, least=least)
        if end >= CLOSED_FOR_GOOD:
            raise RunError(
                f"execution stands still: {left:g} of the work are left at {since:g}, and {self._machine} has no such "
                "opening any more: check the calendar's end"
            )
        return end

    def work_in_shifts(
        self,
        env: simpy.Environment,
        minutes: float,
        hours: OpenTime,
        least: float,
        interrupted: Interrupted,
        sharing: Sharing,
    ) -> Process:
        """As `work`, with units that are given back at every change of shifts, and in repairs, and taken again."""
        since, left = env.now, minutes
        supply, who = sharing.supply, sharing.who
        while (end := self._end(hours, since, left, least)) > (stop := min(self.fails_at, supply.changes(who))):
            yield env.timeout(stop - env.now)
            supply.give_way(who)
            broken = self.fails_at <= env.now
            if sharing.decided and not broken:
                supply.take_again(who, end)
                continue
            while True:
                yield from self.repaired(env)
                if supply.take_again(who, env.now + left):
                    break
                yield from supply.changed(who)
            if env.now > stop:
                sharing.away.append((stop, env.now))
            # Who was away in closed time alone has lost nothing.
            if broken or hours.first(stop, 0) < env.now:
                interrupted(stop, env.now)
                left -= hours.worked(since, stop, left, least=least)
                since = hours.first(env.now, 0)
        yield env.timeout(end - env.now)
