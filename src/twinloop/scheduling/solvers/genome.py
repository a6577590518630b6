"""A schedule as what decides it, so that search can change it: keys, modes, earliest times, and whether to insert.

Any numbers decode to a schedule that keeps all constraints (random keys; Bean 1994; Gonçalves, Mendes and Resende
2005). Operations are placed in the order of their keys; only goals that gain by ending later use earliest times.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import Plan
from twinloop.errors import InputError
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.checker import violations
from twinloop.scheduling.dispatching import RULES
from twinloop.scheduling.objectives import missed_promise
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.problem.opening_checks import ended
from twinloop.scheduling.question import Question
from twinloop.scheduling.solution import Solution, Tell, Trace
from twinloop.scheduling.solvers.generation import regenerate
from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.rich.layout import FIXED, Longs, Tables
from twinloop.scheduling.solvers.rich.schemes import serial
from twinloop.scheduling.solvers.rich.values import BEFORE, evaluate, reference, weights
from twinloop.scheduling.solvers.rules import dispatch

Floats = NDArray[np.float64]
# Seconds between two looks at the clock.
LOOK_S = 0.1


class Genomes(NamedTuple):
    """P schedules: key [P, n], choice [P, n] of a mode (-1: ends first), hold [P, n] earliest start, insert [P]."""

    key: Floats
    choice: Longs
    hold: Longs
    insert: NDArray[np.bool_]

    def at(self, rows: "slice | Longs") -> "Genomes":
        """Some of them; views for a slice."""
        return Genomes(self.key[rows], self.choice[rows], self.hold[rows], self.insert[rows])

    def copy(self) -> "Genomes":
        """The same, apart."""
        return Genomes(self.key.copy(), self.choice.copy(), self.hold.copy(), self.insert.copy())


class Worth(NamedTuple):
    """What schedules are judged by: weights [levels, terms]; starts [n] in the plan that stability compares with."""

    weights: Longs
    reference: Longs


@machine_code
def decode(layout, state, genomes, worth, values):  # type: ignore[no-untyped-def]
    """Generate the schedules of genomes, the last one stays in `state`, and fill values [P, 2 + levels]."""
    for row in range(len(genomes.key)):
        serial(layout, state, genomes.key[row], genomes.choice[row], genomes.hold[row], genomes.insert[row])
        evaluate(layout, state, worth.weights, worth.reference, values[row])


@dataclass(eq=False)
class Search:
    """One problem with its best plan so far; what every search on genomes needs.

    The question may bring a plan to begin with, rules give others. A plan that breaks a rule is not taken.
    """

    method: str
    shop: JobShop
    question: Question
    tell: Tell | None
    tables: Tables = field(init=False)
    bound: int = field(init=False)
    plan: Plan | None = field(init=False, default=None)
    values: tuple[int, ...] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.goal, self.limit, self.start = self.question.goal, self.question.limit, self.question.start
        if self.limit.iterations is None and self.limit.seconds is None:
            raise InputError(f"{self.method}: expected a limit of iterations or seconds, got {self.limit}")
        self._began = time.perf_counter()
        self.tables = Tables.of(self.shop)
        self.state = self.tables.state()
        self.worth = Worth(weights(self.goal), reference(self.tables, self.goal))
        self.timed = self.goal.later
        self.bound = lower_bound(self.shop, self.goal)
        self._trace = Trace(self.tell)

    @property
    def spent(self) -> float:
        """Share of the limit in seconds that has gone by; 0 without one."""
        return 0.0 if self.limit.seconds is None else (time.perf_counter() - self._began) / self.limit.seconds

    def chunk(self, most: int, *, last: int, seconds: float) -> int:
        """Schedules until the next look at the clock, if the `last` ones took so many seconds; without one `most`."""
        if self.limit.seconds is None or self.limit.iterations is not None:
            return most
        return max(1, min(most, int(last * LOOK_S / max(seconds, 1e-6))))

    @property
    def proved(self) -> bool:
        """Whether nothing can be better: one level, at its bound."""
        return self.values is not None and len(self.values) == 1 and self.values[0] <= self.bound

    def starts(self) -> Iterator[Plan]:
        """Plans to begin with: the caller's if it is valid, then those of the rules until time is up; each is noted."""
        if self.start is not None and not violations(self.shop, self.start):
            self.note(self.start)
            yield self.start
        for delay in (0.0, 0.5):
            for rule in RULES:
                plan = dispatch(self.shop, rule, delay=delay) if self.spent < 0.5 or self.plan is None else None
                if plan is not None:
                    if not missed_promise(self.shop, plan):
                        self.note(plan)
                    yield plan

    def note(self, plan: Plan) -> None:
        """Remember a valid plan if it is the best."""
        values = self.goal.values(self.shop, plan)
        if self.values is None or values < self.values:
            self.plan, self.values = plan, values
            self._trace.add(values[0], self.bound)

    def encode(self, plans: list[Plan]) -> Genomes:
        """Genomes that lead to the plans, or nearly; numbers between 0 and 1 as keys."""
        shape = (len(plans), self.tables.count)
        genomes = Genomes(
            np.empty(shape), np.empty(shape, np.int64), np.zeros(shape, np.int64), np.ones(len(plans), np.bool_)
        )
        for row, plan in enumerate(plans):
            mode, start = self.tables.columns(plan)
            genomes.key[row] = np.argsort(np.argsort(start, kind="stable"), kind="stable") / shape[1]
            genomes.choice[row] = mode
            if self.timed:
                genomes.hold[row] = start
        return genomes

    def decode(self, genomes: Genomes, first: int, end: int, values: Longs) -> None:
        """Generate the schedules of genomes `first` to `end` and fill their values [P, 2 + levels]; note the best."""
        rows = slice(first, end)
        self._decode(genomes.at(rows), values[rows])
        best = first + int(np.lexsort(values[rows].T[::-1])[0])
        levels = tuple(values[best, BEFORE:].tolist())
        if values[best, :BEFORE].any() or (self.values is not None and levels >= self.values):
            return
        alone = slice(best, best + 1)
        self._decode(genomes.at(alone), values[alone])
        plan = self.tables.plan(self.state)
        if not self.shop.frozen or not violations(self.shop, plan):
            self.note(plan)

    def _decode(self, genomes: Genomes, values: Longs) -> None:
        decode(self.tables.layout, self.state, genomes, self.worth, values)

    def solution(self) -> Solution:
        """The best plan, moved left where that is no worse, or why there is none."""
        if self.plan is None:
            reason = f"none found in {self.limit} that keeps firm due dates, frozen operations and no_wait"
            reason += f"; {ending}" if (ending := ended(self.shop)) else ""
            return Solution(self.method, "no plan", None, None, self.bound, reason=reason)
        left = regenerate(self.shop, self.plan)
        if left is not None and self.goal.values(self.shop, left) <= self.goal.values(self.shop, self.plan):
            self.plan = left
            self._trace.add(self.goal.values(self.shop, left)[0], self.bound)
        trace = self._trace.incumbents
        return Solution.of(self.method, self.shop, goal=self.goal, plan=self.plan, bound=self.bound, trace=trace)

    @property
    def free(self) -> Longs:
        """Numbers of the operations that are not frozen."""
        return np.flatnonzero(self.tables.layout.operations[:, FIXED] < 0)
