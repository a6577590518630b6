"""A CP-SAT model in the making: variables of operations, visits of machines, hints, and the way back to a plan.

Every variable takes the value it has in the hinted plan, also those a solver would derive: a complete hint is a first
solution, and a neighbourhood can be told to stay as good as its start.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ortools.sat.python import cp_model

from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.bounds import Spans
from twinloop.scheduling.heads import Key
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.problem.calendar import Closures

# A variable, or what a single mode makes certain.
Literal = cp_model.IntVar | bool
Expression = cp_model.LinearExpr | int


class Placed(NamedTuple):
    """The variables (or numbers) of one operation; machines: the literal of each mode, by machine."""

    start: Expression
    end: Expression
    machines: Mapping[str, Literal]


class Visit(NamedTuple):
    """One mode of one operation in a machine's row; first, last: its starts; first_end, last_end: its ends."""

    key: Key
    interval: cp_model.IntervalVar
    start: Expression
    end: Expression
    present: Literal
    first: int
    last: int
    first_end: int
    last_end: int


@dataclass
class Sum:
    """Σ weight × variable + constant."""

    constant: int = 0
    parts: list[tuple[int, cp_model.IntVar]] = field(default_factory=list)

    @property
    def expression(self) -> Expression:
        """What CP-SAT can minimise and limit."""
        if not self.parts:
            return self.constant
        weights, variables = zip(*self.parts, strict=True)
        return cp_model.LinearExpr.weighted_sum(variables, weights) + self.constant


@dataclass
class Draft:
    """The model with its operations.

    rows: visits by machine. pools: intervals, what they need, and when they end at the latest, by pool. follows:
    the arcs that cost a set-up, as (time, literal). hints: by index of the variable. settings: what a machine is set up
    for before everything in its row, where that is no longer its initial family. done: whether an order is done, by the
    names of its jobs; those of other jobs are certain.
    """

    shop: JobShop
    spans: Spans
    hint: Mapping[Key, Assignment]
    kept: Mapping[Key, Assignment]
    closures: Closures
    cp: cp_model.CpModel = field(default_factory=cp_model.CpModel)
    placed: dict[Key, Placed] = field(default_factory=dict)
    rows: dict[str, list[Visit]] = field(default_factory=lambda: defaultdict(list))
    pools: dict[str, list[tuple[cp_model.IntervalVar, int, int]]] = field(default_factory=lambda: defaultdict(list))
    follows: list[tuple[int, cp_model.IntVar]] = field(default_factory=list)
    hints: dict[int, int] = field(default_factory=dict)
    settings: dict[str, str | None] = field(default_factory=dict)
    done: dict[str, cp_model.IntVar] = field(default_factory=dict)

    def where(self, job: str) -> list[cp_model.IntVar]:
        """What must hold for a job to be done: nothing for one that cannot be left out."""
        return [self.done[job]] if job in self.done else []

    def number(self, domain: cp_model.Domain, hint: int | None) -> cp_model.IntVar:
        """A whole number from `domain`; a hint outside is dropped."""
        variable = self.cp.new_int_var_from_domain(domain, "")
        if hint is not None and domain.contains(hint):
            self._hint(variable, hint)
        return variable

    def choice(self, hint: bool | None) -> cp_model.IntVar:
        """Yes or no."""
        variable = self.cp.new_bool_var("")
        if hint is not None:
            self._hint(variable, int(hint))
        return variable

    def both(self, one: cp_model.IntVar, other: cp_model.IntVar) -> cp_model.IntVar:
        """Whether both hold."""
        hints = [self.hints.get(literal.index) for literal in (one, other)]
        together = self.choice(None if None in hints else all(hints))
        self.cp.add_implication(together, one)
        self.cp.add_implication(together, other)
        self.cp.add_bool_or([~one, ~other, together])
        return together

    def family(self, key: Key) -> str | None:
        """Family of an operation; a milestone leaves its machine as it was."""
        operation = self.shop.by_name[key[0]].operations[key[1]]
        return None if operation.milestone else operation.family

    def _hint(self, variable: cp_model.IntVar, value: int) -> None:
        self.cp.add_hint(variable, value)
        self.hints[variable.index] = value

    def hinted(self, total: Sum) -> int | None:
        """Value of a sum at the hint; None where the hint does not fix it."""
        if any(variable.index not in self.hints for _, variable in total.parts):
            return None
        return total.constant + sum(weight * self.hints[variable.index] for weight, variable in total.parts)

    def plan(self, search: cp_model.CpSolver | cp_model.CpSolverSolutionCallback) -> Plan:
        """The solver's answer together with all kept operations."""
        placed = {(a.job, a.operation): a for a in self.placements(search)}
        return Plan.of((dict(self.kept) | placed).values())

    def placements(self, search: cp_model.CpSolver | cp_model.CpSolverSolutionCallback) -> Iterator[Assignment]:
        """The solver's answer."""
        for (job, number), placed in self.placed.items():
            if job in self.done and not search.value(self.done[job]):
                continue
            machine = next(m for m, chosen in placed.machines.items() if chosen is True or search.value(chosen))
            yield Assignment(job, number, machine, search.value(placed.start), search.value(placed.end))
