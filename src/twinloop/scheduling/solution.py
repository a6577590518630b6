"""What every solver answers: a status, a plan, how good it is and how good it could be.

Infeasible, out of time and without a plan are answers, not exceptions.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.figures.faces import solution_face
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.question import Question

Status = Literal["optimal", "feasible", "infeasible", "no plan"]


@dataclass(frozen=True)
class Incumbent:
    """A better plan was known `wall_s` seconds into the search; measured time takes no part in comparisons."""

    objective: int
    bound: int
    wall_s: float = field(compare=False)


Tell = Callable[[Incumbent], None]


class Trace:
    """Collects ever better incumbents of one search and passes each on to `tell`."""

    def __init__(self, tell: Tell | None = None) -> None:
        self._tell, self._began = tell, time.perf_counter()
        self.incumbents: list[Incumbent] = []

    def add(self, objective: int, bound: int) -> None:
        """Note a plan of this objective unless one as good is known."""
        if self.incumbents and objective >= self.incumbents[-1].objective:
            return
        self.incumbents.append(Incumbent(objective, bound, time.perf_counter() - self._began))
        if self._tell:
            self._tell(self.incumbents[-1])


@dataclass(frozen=True)
class Solution:
    """A plan with its value on every level of the goal and the proved `bound` of the first, or the `reason` for none.

    status: "optimal" (proved on every level), "feasible" (a plan, not proved best), "infeasible" (proved: no
    plan exists), "no plan" (none found within the limit, which proves nothing).
    """

    method: str
    status: Status
    plan: Plan | None
    values: tuple[int, ...] | None
    bound: int
    trace: tuple[Incumbent, ...] = ()
    reason: str = ""

    @classmethod
    def of(
        cls,
        method: str,
        shop: JobShop,
        *,
        goal: Goal,
        plan: Plan,
        bound: int,
        trace: Sequence[Incumbent] = (),
        proved: bool = False,
    ) -> "Solution":
        """A plan's solution; `proved` says that no plan is better, which the bound shows for a goal of one level."""
        values = goal.values(shop, plan)
        bound = min(bound, values[0])
        optimal = proved or (len(values) == 1 and bound == values[0])
        return cls(method, "optimal" if optimal else "feasible", plan, values, bound, tuple(trace))

    @property
    def objective(self) -> int | None:
        """Value on the most important level; None without a plan."""
        return None if self.values is None else self.values[0]

    @property
    def gap(self) -> float | None:
        """(objective − bound) / objective, the share that could at most be gained; None without a plan."""
        return None if self.objective is None else relative_gap(self.objective, self.bound)

    def _repr_html_(self) -> str:
        return solution_face(
            self.method,
            status=self.status,
            values=self.values,
            bound=self.bound,
            gap=self.gap,
            incumbents=[incumbent.wall_s for incumbent in self.trace],
            reason=self.reason,
            chart="" if self.plan is None else self.plan._repr_html_(),
        )


class Solver(Protocol):
    """Answers a question about a shop; `tell` hears of every better plan, a valid start is never made worse."""

    def __call__(self, shop: JobShop, question: Question, *, tell: Tell | None = None) -> Solution:
        """Plan the shop. Raises InputError for what the method cannot do."""


def relative_gap(objective: float, bound: float) -> float:
    """(objective − bound) / objective, 0 where nothing can be gained."""
    return max(0.0, (objective - bound) / objective) if objective > 0 else 0.0


def semi_active(shop: JobShop, plan: Plan) -> Plan:
    """The same sequences with every operation as early as they allow, for a `plain` shop; no job ends later."""
    machine_free = dict.fromkeys(shop.machines, 0)
    ends: dict[str, int] = {}
    moved = []
    for a in plan:
        job = shop.by_name[a.job]
        ready = ends[a.job] if a.operation else max([job.opens, *(ends[other] for other in job.after)])
        start = max(ready, machine_free[a.machine])
        end = start + job.operations[a.operation].on(a.machine)
        ends[a.job] = machine_free[a.machine] = end
        moved.append(Assignment(a.job, a.operation, a.machine, start, end))
    return Plan.of(moved)
