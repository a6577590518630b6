"""A schedule as what decides it, so that search can change it: keys, modes, earliest times, and whether to insert.

Any numbers decode to a schedule that keeps all constraints (random keys; Bean 1994; Gonçalves, Mendes and Resende
2005). Operations are placed in the order of their keys; only goals that gain by ending later use earliest times.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import Plan
from twinloop.errors import InputError
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.checker import violations
from twinloop.scheduling.dispatching import RULES
from twinloop.scheduling.objectives import missed_promise
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.question import Question
from twinloop.scheduling.solution import Solution, Tell, Trace
from twinloop.scheduling.solvers.generation import regenerate
from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.rich.layout import FIXED, Longs, Tables
from twinloop.scheduling.solvers.rich.schemes import serial
from twinloop.scheduling.solvers.rich.values import BEFORE, evaluate, reference, weights
from twinloop.scheduling.solvers.rules import dispatch

Floats = NDArray[np.float64]
# Terms that can gain by a later start.
LATER = {"earliness", "stability"}


@dataclass(eq=False)
class Genomes:
    """P schedules: key [P, n], choice [P, n] of a mode (-1: ends first), hold [P, n] earliest start, insert [P]."""

    key: Floats
    choice: Longs
    hold: Longs
    insert: NDArray[np.bool_]

    def copy(self) -> "Genomes":
        """The same, apart."""
        return Genomes(*(column.copy() for column in vars(self).values()))


@machine_code
def decode(layout, state, key, choice, hold, insert, level_weights, before, values):  # type: ignore[no-untyped-def]
    """Generate the schedules of rows of genomes, the last one stays in `state`, and fill values [rows, 2 + levels]."""
    for row in range(len(key)):
        serial(layout, state, key[row], choice[row], hold[row], insert[row])
        evaluate(layout, state, level_weights, before, values[row])


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
        self.weights, self.before = weights(self.goal), reference(self.tables, self.goal)
        self.timed = bool(LATER & set(self.goal.terms))
        self.bound = lower_bound(self.shop, self.goal)
        self._trace = Trace(self.tell)

    @property
    def spent(self) -> float:
        """Share of the limit in seconds that has gone by; 0 without one."""
        return 0.0 if self.limit.seconds is None else (time.perf_counter() - self._began) / self.limit.seconds

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
        found = Genomes(
            np.empty(shape), np.empty(shape, np.int64), np.zeros(shape, np.int64), np.ones(len(plans), np.bool_)
        )
        for row, plan in enumerate(plans):
            mode, start = self.tables.columns(plan)
            found.key[row] = np.argsort(np.argsort(start, kind="stable"), kind="stable") / shape[1]
            found.choice[row] = mode
            if self.timed:
                found.hold[row] = start
        return found

    def decode(self, genomes: Genomes, first: int, end: int, values: Longs) -> None:
        """Generate the schedules of genomes `first` to `end` and fill their values [P, 2 + levels]; note the best."""
        rows = slice(first, end)
        self._decode(genomes, rows, values[rows])
        best = first + int(np.lexsort(values[rows].T[::-1])[0])
        levels = tuple(values[best, BEFORE:].tolist())
        if values[best, :BEFORE].any() or (self.values is not None and levels >= self.values):
            return
        self._decode(genomes, slice(best, best + 1), values[best : best + 1])
        plan = self.tables.plan(self.state)
        if not self.shop.frozen or not violations(self.shop, plan):
            self.note(plan)

    def _decode(self, g: Genomes, rows: slice, values: Longs) -> None:
        genes = (g.key[rows], g.choice[rows], g.hold[rows], g.insert[rows])
        decode(self.tables.layout, self.state, *genes, self.weights, self.before, values)

    def solution(self) -> Solution:
        """The best plan, moved left where that is no worse, or why there is none."""
        if self.plan is None:
            reason = f"none found in {self.limit} that keeps firm due dates, frozen operations and no_wait"
            return Solution(self.method, "no plan", None, None, self.bound, reason=reason)
        again = regenerate(self.shop, self.plan)
        if again is not None and self.goal.values(self.shop, again) <= self.goal.values(self.shop, self.plan):
            self.plan = again
            self._trace.add(self.goal.values(self.shop, again)[0], self.bound)
        trace = self._trace.incumbents
        return Solution.of(self.method, self.shop, goal=self.goal, plan=self.plan, bound=self.bound, trace=trace)

    @property
    def free(self) -> Longs:
        """Numbers of the operations that are not frozen."""
        return np.flatnonzero(self.tables.layout.operations[:, FIXED] < 0)
