"""One event on a running plan, and the plan that follows it: right-shifted, repaired, or made anew.

Right-shift keeps machines and order and moves only what has to move (Abumaizar and Svestka 1997); repair changes the
order around what moved; full re-planning asks a solver, which starts from the right-shifted plan and so is never worse.
Right-shift leaves out the jobs that the earlier plan leaves out; repair takes single jobs in or out where that gains.
Stability against the earlier plan enters the goal with its own weight (Vieira, Herrmann and Lin 2003).
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.checker import violations
from twinloop.scheduling.execution.situation import Situation, standing
from twinloop.scheduling.methods import named
from twinloop.scheduling.objectives import Goal, missed_promise
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.problem.opening_checks import check_whole
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.rescheduling.events import Event, after, prolonged
from twinloop.scheduling.rescheduling.repair import ITERATIONS, repaired
from twinloop.scheduling.solution import Solution
from twinloop.scheduling.solvers.choices import Choices
from twinloop.scheduling.solvers.generation import generate

Method = Literal["right-shift", "repair", "full"]
METHODS: tuple[Method, ...] = get_args(Method)
FULL_LIMIT = Limit(deterministic=4.0)


@dataclass(frozen=True)
class Settings:
    """How to react. stability: weight of the moved starts on the goal's first level, beside what it measures.

    frozen_horizon: time units from now on in which operations stay where they are as far as they can. iterations: of
    the repair. limit, method (of `methods.METHODS`): of a full re-planning.
    Raises InputError for what is out of range.
    """

    goal: Goal = field(default_factory=lambda: Goal.of("weighted_tardiness", "makespan"))
    stability: int = 0
    frozen_horizon: int = 0
    iterations: int = ITERATIONS
    limit: Limit = FULL_LIMIT
    method: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole(self.stability, 0, "re-planning: stability")
        check_whole(self.frozen_horizon, 0, "re-planning: frozen horizon")
        check_whole(self.iterations, 0, "re-planning: iterations")
        named(self.method)

    def goal_from(self, before: Plan) -> Goal:
        """The goal with its reference, and with stability where that counts."""
        first, *others = self.goal.levels
        if self.stability:
            first = {**first, "stability": first.get("stability", 0) + self.stability}
        return Goal((first, *others), before)


@dataclass(frozen=True)
class Replanned:
    """The shop after an event, with what is frozen, and what is planned for it; the plan is None without a solution.

    given_up: operations (job, number) that must wait now although they should not. reaction_s: seconds by the clock,
    which take no part in comparisons.
    """

    shop: JobShop
    plan: Plan | None
    solution: Solution
    given_up: tuple[tuple[str, int], ...] = ()
    reaction_s: float = field(default=0.0, compare=False)


def replan(
    shop: JobShop,
    plan: Plan,
    event: Event,
    *,
    method: Method = "repair",
    now: int | None = None,
    settings: Settings | None = None,
) -> Replanned:
    """React to an event at `now` (by default the event's time), when `plan` has been followed until then.

    Operations that started before `now` keep their times; one that runs on a machine that breaks down ends later by
    the repair. An impossible problem is a solution with status and reason. Raises InputError for an event that does
    not fit the shop, and for a plan that is empty or breaks a rule.
    """
    clock = time.perf_counter()
    _check_method(method)
    if not len(plan):
        raise InputError("re-planning: expected a plan with operations, got an empty one: plan the shop first")
    if wrong := violations(shop, plan):
        raise InputError(f"re-planning: the plan breaks a rule of its shop: {wrong[0].rule}: {wrong[0].message}")
    now = event.time if now is None else now
    check_whole(now, 0, "re-planning: now")
    begun = [a for a in plan if a.start < now]
    changed = after(shop, event, begun=begun, now=now)
    begun = prolonged(shop, begun, event)
    return react(changed, plan, begun, now=now, method=method, settings=settings or Settings(), since=clock)


def react(
    shop: JobShop,
    plan: Plan,
    begun: Sequence[Assignment],
    *,
    now: int,
    method: Method,
    settings: Settings,
    since: float | None = None,
) -> Replanned:
    """Re-plan a shop that has changed; `begun` are its started operations with their true or expected times."""
    clock = time.perf_counter() if since is None else since
    goal = settings.goal_from(plan).on(shop)
    situation = standing(shop.done_by(plan), plan, begun, now=now, horizon=settings.frozen_horizon)
    if situation is None:
        reason = "what has begun leaves no valid plan: an operation runs into another one that cannot move"
        return Replanned(shop, None, Solution(method, "infeasible", None, None, 0, reason=reason))
    situation = replace(situation, shop=_whole(shop, situation.shop))
    solution = _solved(situation, goal, plan, method, settings)
    return Replanned(situation.shop, solution.plan, solution, situation.given_up, time.perf_counter() - clock)


def _whole(shop: JobShop, part: JobShop) -> JobShop:
    """The shop as it stands for the jobs of a plan, with those that the plan leaves out."""
    if not shop.optional:
        return part
    jobs = (replace(part.by_name.get(job.name, job), price=job.price) for job in shop.jobs)
    return replace(part, jobs=tuple(jobs))


def _check_method(method: str) -> None:
    if method not in METHODS:
        raise InputError(f"re-planning: unknown method {method!r}; known: {', '.join(METHODS)}")


def _solved(situation: Situation, goal: Goal, before: Plan, method: Method, settings: Settings) -> Solution:
    if method == "right-shift":
        return _answer(method, situation, goal, situation.shifted)
    if method == "repair":
        return _answer(method, situation, goal, _repaired(situation, goal, before, settings))
    start = None if missed_promise(situation.shop, situation.shifted) else situation.shifted
    return _full(situation.shop, goal, start, settings)


def _repaired(situation: Situation, goal: Goal, before: Plan, settings: Settings) -> Plan:
    shop, shifted = situation.shop, situation.shifted
    if shop.optional:
        shifted = _rechosen(shop, shifted, goal, before)
        shop, goal = shop.done_by(shifted), goal.within
    return repaired(shop, shifted, goal, before=before, iterations=settings.iterations, seed=settings.seed)


def _rechosen(shop: JobShop, shifted: Plan, goal: Goal, before: Plan) -> Plan:
    """The right-shifted plan with single jobs taken in or out, as long as that gains."""

    def planned(part: JobShop) -> Plan | None:
        kept = Plan.of(a for a in shifted if a.job in part.by_name)
        complete = generate(replace(part, frozen=tuple(kept)), [])
        return None if complete is None else repaired(part, complete, goal.within, before=before, iterations=0)

    choices = Choices(shop, goal, planned)
    choices.improve(choices.of(shifted), until=math.inf)
    return choices.plan or shifted


def _answer(method: str, situation: Situation, goal: Goal, plan: Plan) -> Solution:
    bound = lower_bound(situation.shop, goal)
    if missed := missed_promise(situation.shop, plan):
        return Solution(method, "no plan", None, None, bound, reason=f"{method} {missed}")
    return Solution.of(method, situation.shop, goal=goal, plan=plan, bound=bound)


def _full(shop: JobShop, goal: Goal, start: Plan | None, settings: Settings) -> Solution:
    question = Question(goal, settings.limit, seed=settings.seed, start=start)
    return replace(named(settings.method).solve(shop, question), method="full")
