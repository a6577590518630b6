"""What every solver is given and answers: a limit; a status, a plan, how good it is and how good it could be.

Infeasible, out of time and without a plan are answers, not exceptions.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import JobShop

Status = Literal["optimal", "feasible", "infeasible", "no plan"]


@dataclass(frozen=True)
class Limit:
    """When a search stops: at the first that is reached.

    seconds: by the clock, for benchmarks and people who wait. deterministic: CP-SAT's own seconds, about one
    to three by the clock. iterations: moves, conflicts or neighbourhoods, whatever the solver counts.
    Limited by the last two, a search gives the same answer everywhere. Raises InputError for none or not above 0.
    """

    seconds: float | None = None
    deterministic: float | None = None
    iterations: int | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if not given:
            raise InputError("limit: expected seconds, deterministic seconds or iterations, got none of them")
        for name, value in given.items():
            if not value > 0:
                raise InputError(f"limit: {name} = {value:g}: expected a number above 0")

    def __str__(self) -> str:
        named = {"seconds": "seconds", "deterministic": "deterministic seconds", "iterations": "iterations"}
        given = [f"{getattr(self, name):g} {unit}" for name, unit in named.items() if getattr(self, name) is not None]
        return " or ".join(given)


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
        from twinloop.scheduling.figures.faces import solution_face

        return solution_face(self)


def relative_gap(objective: float, bound: float) -> float:
    """(objective − bound) / objective, 0 where nothing can be gained."""
    return max(0.0, (objective - bound) / objective) if objective > 0 else 0.0


def semi_active(shop: JobShop, plan: Plan) -> Plan:
    """The same sequences with every operation as early as they allow, for a `plain` shop; no job ends later."""
    machine_free = dict.fromkeys(shop.machines, 0)
    ends: dict[str, int] = {}
    found = []
    for a in plan:
        job = shop.by_name[a.job]
        ready = ends[a.job] if a.operation else max([job.release, *(ends[other] for other in job.after)])
        start = max(ready, machine_free[a.machine])
        end = start + job.operations[a.operation].on(a.machine)
        ends[a.job] = machine_free[a.machine] = end
        found.append(Assignment(a.job, a.operation, a.machine, start, end))
    return Plan.of(found)
