"""One door to every method: rules, CP-SAT and auto answer with the same kind of Solution."""

from dataclasses import replace

from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.objectives import Goal, missed_promise
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.settings import RULE_NAMES, RuleName, ScheduleSettings
from twinloop.scheduling.solution import Limit, Solution, Tell
from twinloop.scheduling.solvers.rules import dispatch


def solve(shop: JobShop, settings: ScheduleSettings, *, seed: int, tell: Tell | None = None) -> Solution:
    """Plan `shop` by the configured method; the same seed gives the same answer anywhere.

    `tell` is called with every better plan that a search finds.
    """
    if settings.method == "auto":
        return _auto(shop, settings, seed=seed, tell=tell)
    if settings.method == "CP-SAT":
        return _cpsat(shop, settings, seed=seed, tell=tell)
    return solve_rule(shop, settings.method, settings)


def solve_rule(shop: JobShop, rule: RuleName, settings: ScheduleSettings) -> Solution:
    """Plan by one dispatching rule; a rule that misses a firm due date has no plan to offer."""
    plan = dispatch(shop, rule, delay=settings.delay)
    goal = Goal.of(settings.objective)
    bound = lower_bound(shop, goal)
    if plan is None:
        return Solution(
            rule, "no plan", None, None, bound, reason=f"{rule}: frozen operations leave no place to others"
        )
    if missed := missed_promise(shop, plan):
        return Solution(rule, "no plan", None, None, bound, reason=f"{rule} {missed}")
    return Solution.of(rule, shop, goal=goal, plan=plan, bound=bound)


def best_rule(shop: JobShop, settings: ScheduleSettings) -> Solution:
    """The rule of least objective, then least makespan; without any plan, the last rule's answer."""
    found = [solve_rule(shop, rule, settings) for rule in RULE_NAMES]
    planned = [(s.values, s.plan.makespan, k) for k, s in enumerate(found) if s.plan and s.values is not None]
    return found[min(planned)[2] if planned else -1]


def _auto(shop: JobShop, settings: ScheduleSettings, *, seed: int, tell: Tell | None) -> Solution:
    # Compiled kernels and ortools take a second to import.
    from twinloop.scheduling.solvers.portfolio import solve_auto

    goal, finer = _goals(settings)
    found = solve_auto(shop, finer, limit=Limit(deterministic=settings.deterministic_limit), seed=seed, tell=tell)
    if found.plan is None:
        return found
    return Solution.of(found.method, shop, goal=goal, plan=found.plan, bound=found.bound, trace=found.trace)


def _goals(settings: ScheduleSettings) -> tuple[Goal, Goal]:
    """What is asked for, and with its tie-break: of plans that are equally late the shorter one, proved or not."""
    goal = Goal.of(settings.objective)
    return goal, goal if settings.objective == "makespan" else Goal.of(settings.objective, "makespan")


def _cpsat(shop: JobShop, settings: ScheduleSettings, *, seed: int, tell: Tell | None) -> Solution:
    # ortools takes half a second to import and only this method needs it.
    from twinloop.scheduling.solvers.conflict import explain
    from twinloop.scheduling.solvers.cpsat import solve_cpsat

    hint = best_rule(shop, settings)
    limit = Limit(deterministic=settings.deterministic_limit)
    goal, finer = _goals(settings)
    found = solve_cpsat(shop, finer, limit=limit, seed=seed, start=hint.plan, tell=tell)
    if found.plan is None:
        return replace(found, reason=explain(shop, seed=seed)) if found.status == "infeasible" else found
    return Solution.of(found.method, shop, goal=goal, plan=found.plan, bound=found.bound, trace=found.trace)
