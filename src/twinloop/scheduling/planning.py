"""The plan that settings ask for: one door to every method, which answer with the same kind of Solution."""

from dataclasses import replace

from twinloop.scheduling.dispatching import RULES
from twinloop.scheduling.methods import METHODS, by_rule
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.settings import RuleName, ScheduleSettings
from twinloop.scheduling.solution import Solution, Tell


def solve(shop: JobShop, settings: ScheduleSettings, *, seed: int, tell: Tell | None = None) -> Solution:
    """Plan `shop` by the configured method; the same seed gives the same answer anywhere.

    `tell` is called with every better plan that a search finds.
    """
    if settings.method in RULES:
        return solve_rule(shop, settings.method, settings)
    method, question = METHODS[settings.method], _question(settings, seed)
    if method.improves:
        question = replace(question, start=best_rule(shop, settings).plan)
    solution = method.solve(shop, question, tell=tell)
    if solution.plan is None:
        return solution
    return Solution.of(
        solution.method,
        shop,
        goal=Goal.of(settings.objective).on(shop),
        plan=solution.plan,
        bound=solution.bound,
        trace=solution.trace,
        proved=solution.status == "optimal",
    )


def solve_rule(shop: JobShop, rule: RuleName, settings: ScheduleSettings) -> Solution:
    """Plan by one dispatching rule; a rule that misses a firm due date has no plan to offer."""
    question = Question(Goal.of(settings.objective), _limit(settings))
    return by_rule(shop, question, rule=rule, delay=settings.delay)


def best_rule(shop: JobShop, settings: ScheduleSettings) -> Solution:
    """The rule of least objective, then least makespan; without any plan, the last rule's answer."""
    solutions = [solve_rule(shop, rule, settings) for rule in RULES]
    planned = [(s.values, s.plan.makespan, k) for k, s in enumerate(solutions) if s.plan and s.values is not None]
    return solutions[min(planned)[2] if planned else -1]


def _question(settings: ScheduleSettings, seed: int) -> Question:
    """What is asked for, with a tie-break: of plans that are equally late the shorter one, proved or not."""
    levels = dict.fromkeys((settings.objective, "makespan"))
    return Question(Goal.of(*levels), _limit(settings), seed=seed)


def _limit(settings: ScheduleSettings) -> Limit:
    return Limit(deterministic=settings.deterministic_limit)
