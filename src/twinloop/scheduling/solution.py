"""What every solver answers: a status, a plan, how good it is and how good it could be.

Infeasible, out of time and without a plan are answers, not exceptions.
"""

from dataclasses import dataclass, field
from typing import Literal

from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.objectives import measure
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.settings import Objective

Status = Literal["optimal", "feasible", "infeasible", "no plan"]


@dataclass(frozen=True)
class Incumbent:
    """A better plan was known `wall_s` seconds into the search; measured time takes no part in comparisons."""

    objective: int
    bound: int
    wall_s: float = field(compare=False)


@dataclass(frozen=True)
class Solution:
    """A plan with its `objective` and proved `bound` in (weighted) time units, or the `reason` why there is none.

    status: "optimal" (proved), "feasible" (a plan, not proved best), "infeasible" (proved: no plan exists),
    "no plan" (none found within the limit, which proves nothing).
    """

    method: str
    status: Status
    plan: Plan | None
    objective: int | None
    bound: int
    trace: tuple[Incumbent, ...] = ()
    reason: str = ""

    @property
    def gap(self) -> float | None:
        """(objective − bound) / objective, the share that could at most be gained; None without a plan."""
        return None if self.objective is None else relative_gap(self.objective, self.bound)


def relative_gap(objective: float, bound: float) -> float:
    """(objective − bound) / objective, 0 where nothing can be gained."""
    return max(0.0, (objective - bound) / objective) if objective > 0 else 0.0


def cost(shop: JobShop, plan: Plan, objective: Objective) -> int:
    """The objective's value for a complete plan, a whole number."""
    return measure(objective, shop, plan)


def lower_bound(shop: JobShop, objective: Objective) -> int:
    """A bound that needs no search: routes alone, and for the makespan each machine's head, work and tail."""
    if objective == "weighted_tardiness":
        return int(shop.weighted_tardiness({job.name: shop.shortest(job.name) for job in shop.jobs}))
    best = max(shop.shortest(job.name) for job in shop.jobs)
    loads: dict[str, list[tuple[int, int, int]]] = {}
    for job in shop.jobs:
        tail = job.work
        for operation, head in zip(job.operations, shop.heads[job.name], strict=True):
            tail -= operation.duration
            loads.setdefault(operation.machine, []).append((head, operation.duration, tail))
    for load in loads.values():
        heads, durations, tails = zip(*load, strict=True)
        best = max(best, min(heads) + sum(durations) + min(tails))
    return best


def semi_active(shop: JobShop, plan: Plan) -> Plan:
    """The same machine sequences with every operation as early as they allow; no job ends later than before."""
    machine_free = dict.fromkeys(shop.machines, 0)
    ends: dict[str, int] = {}
    found = []
    for a in plan:
        job = shop.by_name[a.job]
        ready = ends[a.job] if a.operation else max([job.release, *(ends[other] for other in job.after)])
        start = max(ready, machine_free[a.machine])
        end = start + job.operations[a.operation].duration
        ends[a.job] = machine_free[a.machine] = end
        found.append(Assignment(a.job, a.operation, a.machine, start, end))
    return Plan.of(found)
