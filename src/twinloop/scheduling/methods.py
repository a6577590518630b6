"""Every way to find a plan, by the name that settings and `JobShop.solve` know it by.

A method is one function that answers a `Question` and one entry in `METHODS`. Compiled kernels and ortools take a
second to import, so a method imports what it needs when it is asked.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import partial
from typing import Any, NamedTuple

from twinloop.contracts import Plan
from twinloop.errors import InputError, nearest
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.dispatching import RULES
from twinloop.scheduling.objectives import LEFT_OUT, Goal, missed_promise
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.problem.opening_checks import ended
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solution import Solution, Solver, Tell


class Method(NamedTuple):
    """configurable: it takes a limit of deterministic seconds and every goal, so that settings may name it.

    improves: it begins with a plan, the best rule's where none is given. chooses: it decides itself which jobs are left
    out; for another one choice after the other is planned.
    """

    solver: Solver
    configurable: bool = False
    improves: bool = False
    chooses: bool = False

    def solve(self, shop: JobShop, question: Question, *, tell: Tell | None = None) -> Solution:
        """The answer to a question, whose goal counts the prices of jobs left out (`Goal.on`).

        Raises InputError for what the method cannot do.
        """
        question = replace(question, goal=question.goal.on(shop))
        if self.chooses or LEFT_OUT not in question.goal.terms:
            return self.solver(shop, question, tell=tell)
        from twinloop.scheduling.solvers.choices import solve_choices

        return solve_choices(shop, question, self.solver, tell=tell)


def auto(shop: JobShop, question: Question, *, tell: Tell | None = None) -> Solution:
    """All methods together, each where it is best."""
    from twinloop.scheduling.solvers.portfolio import solve_auto

    return solve_auto(shop, question, tell=tell)


def cp_sat(shop: JobShop, question: Question, *, tell: Tell | None = None) -> Solution:
    """Constraint programming on the whole shop; where no plan exists, the reason."""
    from twinloop.scheduling.solvers.conflict import explained
    from twinloop.scheduling.solvers.cpsat import solve_cpsat

    until = question.limit.until()
    return explained(shop, solve_cpsat(shop, question, tell=tell), seed=question.seed, until=until)


def neighbourhoods(shop: JobShop, question: Question, *, tell: Tell | None = None) -> Solution:
    """Constraint programming on one piece of the plan after the other."""
    from twinloop.scheduling.solvers.neighbourhoods import solve_neighbourhoods

    return solve_neighbourhoods(shop, question, tell=tell)


def local_search(shop: JobShop, question: Question, *, tell: Tell | None = None) -> Solution:
    """Tabu search and path relinking, for the makespan of a plain shop."""
    from twinloop.scheduling.solvers.local.search import solve_local

    # By the clock every thread has a population; limited by iterations the answer is the same for any number of them.
    populations = 1 if question.limit.seconds is None else question.workers
    return solve_local(shop, question, tell=tell, populations=populations)


def simulated_annealing(shop: JobShop, question: Question, *, tell: Tell | None = None) -> Solution:
    """Annealing along critical paths, for every goal of a plain shop that looks at the ends of jobs."""
    from twinloop.scheduling.solvers.local.annealing import solve_annealing

    populations = 1 if question.limit.seconds is None else question.workers
    return solve_annealing(shop, question, tell=tell, populations=populations)


def shifting_bottleneck(shop: JobShop, question: Question, *, tell: Tell | None = None) -> Solution:
    """One machine at a time, for the makespan of a plain shop without alternative machines."""
    from twinloop.scheduling.solvers.local.shifting_bottleneck import solve_shifting_bottleneck

    return solve_shifting_bottleneck(shop, question, tell=tell)


def annealing(shop: JobShop, question: Question, *, tell: Tell | None = None) -> Solution:
    """Annealing of the decisions that generate a schedule, for every shop and goal."""
    from twinloop.scheduling.solvers.annealing import solve_annealing

    return solve_annealing(shop, question, tell=tell)


def genetic(shop: JobShop, question: Question, *, tell: Tell | None = None) -> Solution:
    """A genetic algorithm on these decisions, for every shop and goal."""
    from twinloop.scheduling.solvers.genetic import solve_genetic

    return solve_genetic(shop, question, tell=tell)


def by_rule(shop: JobShop, question: Question, *, tell: Tell | None = None, rule: str, delay: float = 0.0) -> Solution:
    """One dispatching rule, at once; a rule that misses a firm due date has no plan to offer."""
    from twinloop.scheduling.solvers.rules import dispatch

    goal, ruled = question.goal.on(shop), partial(dispatch, rule=rule, delay=delay)
    if shop.optional:
        from twinloop.scheduling.solvers.choices import best_choice

        plan = best_choice(shop, goal, ruled, until=question.limit.until())
    else:
        plan = ruled(shop)
    bound = lower_bound(shop, goal)
    if plan is None and shop.optional:
        reason = f"{rule}: finds no plan, not even without the jobs that may be left out"
        return Solution(rule, "no plan", None, None, bound, reason=reason)
    if plan is None:
        reason = f"{rule}: {ended(shop) or 'frozen operations leave no place to others'}"
        return Solution(rule, "no plan", None, None, bound, reason=reason)
    if missed := missed_promise(shop, plan):
        return Solution(rule, "no plan", None, None, bound, reason=f"{rule} {missed}")
    return Solution.of(rule, shop, goal=goal, plan=plan, bound=bound)


METHODS: Mapping[str, Method] = {
    "auto": Method(auto, configurable=True, chooses=True),
    "CP-SAT": Method(cp_sat, configurable=True, improves=True, chooses=True),
    "CP-SAT LNS": Method(neighbourhoods, configurable=True, improves=True),
    "local search": Method(local_search),
    "simulated annealing": Method(simulated_annealing),
    "shifting bottleneck": Method(shifting_bottleneck),
    "annealing": Method(annealing),
    "genetic": Method(genetic),
    **{rule: Method(partial(by_rule, rule=rule), configurable=True, chooses=True) for rule in RULES},
}
LIMITS = tuple(field.name for field in fields(Limit))
CONFIGURABLE = tuple(name for name, method in METHODS.items() if method.configurable)


def named(name: str) -> Method:
    """The method of this name. Raises InputError that tells the nearest one."""
    if name not in METHODS:
        raise InputError(f"unknown solver method {name!r}; {nearest(name, METHODS)}")
    return METHODS[name]


def answer(
    shop: JobShop,
    *objective: Any,
    method: str,
    seed: int,
    start: Plan | None,
    workers: int,
    **limit: Any,
) -> Solution:
    """What a method answers; objective: levels of a goal (`Goal.of`), without one the makespan; limit: as of `Limit`.

    Raises InputError for an unknown method, and for what the method cannot do.
    """
    for keyword in limit:
        if keyword not in LIMITS:
            raise InputError(f"solve: unknown keyword {keyword!r}; {nearest(keyword, LIMITS)}")
    goal = Goal.of(*objective or ("makespan",))
    question = Question(goal, Limit(**limit), seed=seed, start=start, workers=workers)
    solve = named(method).solve
    if question.limit.seconds is not None:
        from twinloop.scheduling.solvers.ready import ready

        ready()  # before the clock starts
    return solve(shop, question)
