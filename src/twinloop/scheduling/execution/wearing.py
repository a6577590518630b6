"""A machine whose breakdowns come from its wear while a plan is executed: by its work, not by the calendar.

Its k-th life is the same in every plan; a repair begins the next one, and so does a maintenance in the plan.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import simpy

from twinloop.errors import InputError
from twinloop.replication.streams import Streams
from twinloop.scheduling.execution.disruptions import NEVER
from twinloop.scheduling.execution.working import Breakdowns, Interrupted, Process
from twinloop.scheduling.problem.calendar import NEVER as CLOSED_FOR_GOOD
from twinloop.scheduling.problem.calendar import OpenTime
from twinloop.simulation.model.distributions import Distribution, durations
from twinloop.simulation.model.wear import Wear
from twinloop.simulation.model.wear_path import life_path


@dataclass(frozen=True)
class Wearing:
    """How a machine wears. level: of wear at minute 0. repair_min: mean time of a repair, exponential.

    renewed: minutes at which a maintenance begins that leaves it as new, ascending. Raises InputError for a level at
    which it would have failed.
    """

    wear: Wear
    repair_min: float
    level: float = 0.0
    renewed: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.level < self.wear.limit:
            raise InputError(f"wearing: level = {self.level:g}: expected less than the limit {self.wear.limit:g}")
        if not 0 < self.repair_min < NEVER:
            raise InputError(f"wearing: repair_min = {self.repair_min:g}: expected a finite number above 0")

    def lives(self, machine: str, streams: Streams) -> Iterator[float]:
        """Minutes of work of one life after the other; the first is what is left at this level."""
        number, start = 0, self.level
        while True:
            yield life_path(self.wear, streams, machine, number, start=start).life_min
            number, start = number + 1, 0.0


class WornMachine(Breakdowns):
    """Its breakdowns, counted in `failures`; idle it does not fail."""

    def __init__(self, machine: str, wearing: Wearing, streams: Streams) -> None:
        super().__init__(machine, ())
        self._lives = wearing.lives(machine, streams)
        self._repair = durations(
            Distribution(kind="exponential", mean=wearing.repair_min), streams, machine, "repair of wear"
        )
        self._renewed = list(wearing.renewed)
        self._left, self.failures = next(self._lives), 0

    def work(
        self, env: simpy.Environment, minutes: float, hours: OpenTime, least: float, interrupted: Interrupted
    ) -> Process:
        """Occupy the machine for `minutes` of running; a repair or a maintenance begins a new life."""
        while True:
            while self._renewed and self._renewed[0] <= env.now:
                del self._renewed[0]
                self._left = next(self._lives)
            end = self._end(hours, env.now, minutes, least)
            fails = hours.done(env.now, self._left, least=least) if self._left < minutes else NEVER
            until = self._renewed[0] if self._renewed else NEVER
            if end <= min(fails, until):
                self._left -= minutes
                yield env.timeout(end - env.now)
                return
            if until <= fails:
                worked = hours.worked(env.now, until, minutes, least=least)
                self._left, minutes = self._left - worked, minutes - worked
                yield env.timeout(until - env.now)
            else:
                up = fails + self._repair()
                minutes -= self._left
                interrupted(fails, up)
                self.failures, self._left = self.failures + 1, next(self._lives)
                yield env.timeout(up - env.now)
            opens = hours.first(env.now, 0)
            if env.now < opens < CLOSED_FOR_GOOD:
                yield env.timeout(opens - env.now)

    def work_in_shifts(self, *_: Any, **__: Any) -> Process:
        """Not executed: its people come and go within an operation."""
        raise InputError(
            f"execution: {self._machine} wears, and its people change shifts within an operation: expected pools of "
            "the same size in all shifts, or breakdowns by the calendar"
        )
