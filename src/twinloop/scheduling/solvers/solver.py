"""One door to every method: dispatching rules and CP-SAT answer with the same kind of Solution."""

from collections.abc import Callable

from twinloop.contracts import Plan
from twinloop.scheduling.objectives import job_ends
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.settings import RULE_NAMES, RuleName, ScheduleSettings
from twinloop.scheduling.solution import Incumbent, Solution, cost, lower_bound
from twinloop.scheduling.solvers.rules import dispatch

Tell = Callable[[Incumbent], None]


def solve(shop: JobShop, settings: ScheduleSettings, *, seed: int, tell: Tell | None = None) -> Solution:
    """Plan `shop` by the configured method; the same seed gives the same answer anywhere.

    `tell` is called with every better plan CP-SAT finds.
    """
    if settings.method == "CP-SAT":
        return _cpsat(shop, settings, seed=seed, tell=tell)
    return solve_rule(shop, settings.method, settings)


def solve_rule(shop: JobShop, rule: RuleName, settings: ScheduleSettings) -> Solution:
    """Plan by one dispatching rule; a rule that misses a firm due date has no plan to offer."""
    plan = dispatch(shop, rule, delay=settings.delay)
    bound = lower_bound(shop, settings.objective)
    if missed := _missed(shop, plan):
        return Solution(rule, "no plan", None, None, bound, reason=f"{rule} {missed}")
    reached = cost(shop, plan, settings.objective)
    return Solution(rule, "optimal" if reached == bound else "feasible", plan, reached, bound)


def best_rule(shop: JobShop, settings: ScheduleSettings) -> Solution:
    """The rule of least objective, then least makespan; without any plan, the last rule's answer."""
    found = [solve_rule(shop, rule, settings) for rule in RULE_NAMES]
    planned = [(s.objective, s.plan.makespan, k) for k, s in enumerate(found) if s.plan and s.objective is not None]
    return found[min(planned)[2] if planned else -1]


def _missed(shop: JobShop, plan: Plan) -> str:
    ends = job_ends(plan)
    for job in shop.jobs:
        if job.firm and job.due is not None and ends[job.name] > job.due:
            return f"ends job {job.name} at {ends[job.name]}, after its firm due date {job.due}"
    return ""


def _cpsat(shop: JobShop, settings: ScheduleSettings, *, seed: int, tell: Tell | None) -> Solution:
    # ortools takes half a second to import and only this method needs it.
    from twinloop.scheduling.solvers.conflict import explain
    from twinloop.scheduling.solvers.cpsat import solve_cpsat

    hint = best_rule(shop, settings)
    limit = settings.deterministic_limit
    found = solve_cpsat(shop, settings.objective, limit=limit, seed=seed, hint=hint.plan, tell=tell)
    if found.status == "infeasible":
        return Solution("CP-SAT", "infeasible", None, None, found.bound, reason=explain(shop, seed=seed))
    return found
