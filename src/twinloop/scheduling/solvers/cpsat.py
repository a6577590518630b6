"""The job shop as a CP-SAT model: one interval per operation, one no-overlap per machine.

Domains are cut by heads, tails and the best rule's plan, which is also the hint. The search runs in one
thread and is limited by deterministic time, so the answer depends on no clock and no number of cores.
For the makespan one search without linear relaxation proves most; for weighted tardiness a few
subsolvers and large-neighbourhood searches take turns, and the makespan is the tie-break.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ortools.sat.python import cp_model

from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.settings import Objective
from twinloop.scheduling.solution import Incumbent, Solution, Status, cost, lower_bound, semi_active

# Above this the tie-break is left out, so that the objective stays exact as a double.
LARGEST_OBJECTIVE = 2**53
Starts = Mapping[tuple[str, int], cp_model.IntVar]


@dataclass(frozen=True)
class Model:
    """A CP-SAT model of a shop; its objective is `scale` × cost + makespan (scale 1: the cost alone)."""

    cp: cp_model.CpModel
    starts: Starts
    scale: int


def latest_ends(shop: JobShop, objective: Objective, *, incumbent: int | None) -> dict[str, int]:
    """By job, an end that no plan better than or as good as `incumbent` exceeds; it may lie before the earliest end."""
    limits = {}
    for job in shop.jobs:
        limit = shop.horizon
        if incumbent is not None and objective == "makespan":
            limit = min(limit, incumbent)
        if incumbent is not None and objective == "weighted_tardiness" and job.due is not None and job.weight:
            limit = min(limit, job.due + incumbent // job.weight)
        if job.firm and job.due is not None:
            limit = min(limit, job.due)
        limits[job.name] = limit
    for name in reversed(shop.order):
        for other in shop.by_name[name].after:
            limits[other] = min(limits[other], limits[name] - shop.by_name[name].work)
    return limits


def build(shop: JobShop, objective: Objective, *, incumbent: int | None = None) -> Model | None:
    """The model, or None when some job's window is too short for its own operations."""
    limits = latest_ends(shop, objective, incumbent=incumbent)
    if any(limits[job.name] < shop.shortest(job.name) for job in shop.jobs):
        return None
    cp = cp_model.CpModel()
    starts: dict[tuple[str, int], cp_model.IntVar] = {}
    ends: dict[str, cp_model.LinearExpr] = {}
    intervals: dict[str, list[cp_model.IntervalVar]] = {}
    for job in shop.jobs:
        tail = job.work
        for number, (operation, head) in enumerate(zip(job.operations, shop.heads[job.name], strict=True)):
            start = cp.new_int_var(head, limits[job.name] - tail, f"{job.name}_{number}")
            if number:
                cp.add(start >= ends[job.name])
            interval = cp.new_fixed_size_interval_var(start, operation.duration, f"{job.name}_{number}")
            intervals.setdefault(operation.machine, []).append(interval)
            starts[job.name, number] = start
            ends[job.name] = start + operation.duration
            tail -= operation.duration
    for job in shop.jobs:
        for other in job.after:
            cp.add(starts[job.name, 0] >= ends[other])
    for row in intervals.values():
        cp.add_no_overlap(row)
    makespan = cp.new_int_var(lower_bound(shop, "makespan"), shop.horizon, "makespan")
    for end in ends.values():
        cp.add(makespan >= end)
    if objective == "makespan":
        cp.minimize(makespan)
        return Model(cp, starts, 1)
    late = []
    for job in shop.jobs:
        if job.due is None or not job.weight:
            continue
        least, most = max(0, shop.shortest(job.name) - job.due), max(0, limits[job.name] - job.due)
        tardiness = cp.new_int_var(least, most, f"{job.name}_tardiness")
        cp.add(tardiness >= ends[job.name] - job.due)
        late.append(job.weight * tardiness)
    scale = shop.horizon + 1
    worst = sum(job.weight for job in shop.jobs) * shop.horizon
    if worst * scale > LARGEST_OBJECTIVE:
        cp.minimize(sum(late))
        return Model(cp, starts, 1)
    cp.minimize(scale * sum(late) + makespan)
    return Model(cp, starts, scale)


def solver(objective: Objective, *, limit: float, seed: int) -> cp_model.CpSolver:
    """A solver whose answers depend on objective, `limit` (deterministic seconds) and `seed` alone."""
    found = cp_model.CpSolver()
    found.parameters.random_seed = seed % 2**31
    found.parameters.max_deterministic_time = limit
    found.parameters.num_workers = 1
    if objective == "makespan":
        found.parameters.linearization_level = 0
    else:
        found.parameters.interleave_search = True
        found.parameters.interleave_batch_size = 4
        found.parameters.subsolvers.extend(["no_lp", "max_lp", "quick_restart_no_lp", "objective_lb_search"])
    return found


class _Trace(cp_model.CpSolverSolutionCallback):
    def __init__(self, scale: int, tell: Callable[[Incumbent], None] | None) -> None:
        super().__init__()
        self._scale, self._tell = scale, tell
        self.incumbents: list[Incumbent] = []

    def on_solution_callback(self) -> None:
        objective, bound = int(self.objective_value) // self._scale, int(self.best_objective_bound) // self._scale
        if self.incumbents and objective >= self.incumbents[-1].objective:
            return
        self.incumbents.append(Incumbent(objective, max(0, bound), self.wall_time))
        if self._tell:
            self._tell(self.incumbents[-1])


def solve_cpsat(
    shop: JobShop,
    objective: Objective,
    *,
    limit: float,
    seed: int,
    hint: Plan | None = None,
    tell: Callable[[Incumbent], None] | None = None,
) -> Solution:
    """Search for `limit` deterministic seconds from a valid `hint`; `tell` hears of every better plan."""
    incumbent = None if hint is None else cost(shop, hint, objective)
    least = lower_bound(shop, objective)
    model = build(shop, objective, incumbent=incumbent)
    if model is None:
        return Solution("CP-SAT", "infeasible", None, None, least)
    for a in hint or ():
        model.cp.add_hint(model.starts[a.job, a.operation], a.start)
    search, trace = solver(objective, limit=limit, seed=seed), _Trace(model.scale, tell)
    outcome = search.solve(model.cp, trace)
    if outcome == cp_model.INFEASIBLE:
        return Solution("CP-SAT", "infeasible", None, None, least)
    if outcome not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Solution("CP-SAT", "no plan", None, None, least, reason=f"none found in {limit:g} deterministic seconds")
    plan = Plan.of(
        Assignment(
            job,
            number,
            shop.by_name[job].operations[number].machine,
            at,
            at + shop.by_name[job].operations[number].duration,
        )
        for (job, number), start in model.starts.items()
        for at in [search.value(start)]
    )
    plan = semi_active(shop, plan)
    reached = cost(shop, plan, objective)
    # scale × cost + makespan ≥ bound and makespan < scale, so cost ≥ bound // scale.
    bound = (
        reached
        if outcome == cp_model.OPTIMAL
        else min(reached, max(least, int(search.best_objective_bound) // model.scale))
    )
    status: Status = "optimal" if bound == reached else "feasible"
    return Solution("CP-SAT", status, plan, reached, bound, tuple(trace.incumbents))
