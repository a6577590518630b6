"""Small shops with everything planners have: the checker, every solver and every bound against the best of all plans.

`pytest tests/scheduling/test_exact.py --hypothesis-profile=many --hypothesis-show-statistics` tries thousands of other
shops, and tells how often each method has found the best plan.
"""

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from tests.scheduling.calendars import Minutes, best_makespan, candidates, planned_shops
from tests.scheduling.problems import goals, priced, problems
from tests.scheduling.referee import best_plan
from tests.scheduling.shops import plain_shops
from twinloop.contracts import Plan
from twinloop.errors import InputError
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.checker import violations
from twinloop.scheduling.methods import METHODS
from twinloop.scheduling.objectives import LEFT_OUT, Goal
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solution import Solution
from twinloop.scheduling.solvers.pareto import pareto_front

LAST = 40
# Later than the best plan of nearly every shop of `problems`.
FAR = 60
# Methods that take every shop and goal, and their limits.
LIMITS = {
    "auto": Limit(deterministic=1.0),
    "CP-SAT LNS": Limit(deterministic=0.2),
    "annealing": Limit(iterations=300),
    "genetic": Limit(iterations=300),
    "SPT": Limit(iterations=1),
    "ATC": Limit(iterations=1),
}


def shop_of(fields: dict[str, Any]) -> JobShop:
    """The shop, if the fields make sense."""
    try:
        return JobShop(**fields)
    except InputError:
        assume(False)
        raise


@st.composite
def questions(draw: st.DrawFn, **how: Any) -> tuple[JobShop, Goal]:
    """A shop and a goal for it."""
    shop = shop_of(draw(problems(**how)))
    return shop, draw(goals(shop.jobs))


@st.composite
def choices(draw: st.DrawFn) -> tuple[JobShop, Goal]:
    """A shop with jobs that may be left out, and a goal that counts their prices in its own way or in another."""
    fields = draw(problems(most_operations=5))
    shop = shop_of({**fields, "jobs": draw(priced(fields["jobs"]))})
    goal = draw(goals(shop.jobs))
    if draw(st.integers(0, 3)) == 0:
        first, *others = goal.levels
        goal = Goal(({**first, LEFT_OUT: draw(st.integers(1, 3))}, *others), goal.reference)
    return shop, goal.on(shop)


@settings(max_examples=100)
@given(planned_shops(), st.data())
def test_the_checker_accepts_exactly_what_can_be_done_unit_by_unit(fields: dict, data: st.DataObject) -> None:
    shop = shop_of(fields)
    minutes = Minutes(shop, LAST)
    ways = candidates(minutes)
    for _ in range(20):
        rows = []
        for own in ways.values():
            if not own:
                return
            rows.append(own[min(data.draw(st.integers(0, 8)) + data.draw(st.integers(0, 8)), len(own) - 1)])
        by_machine = sorted(rows, key=lambda a: (a.machine, a.start))
        apart = all(a.machine != b.machine or a.end <= b.start for a, b in itertools.pairwise(by_machine))
        assert (apart and minutes.fits(rows)) == (not violations(shop, Plan.of(rows)))


@settings(max_examples=50)
@given(planned_shops())
def test_the_referee_finds_the_best_of_all_plans(fields: dict) -> None:
    shop = shop_of(fields)
    found, best = best_plan(shop, Goal.of("makespan"), LAST), best_makespan(Minutes(shop, LAST))
    assert (None if found is None else found[0][0]) == best


def proved(shop: JobShop, goal: Goal) -> None:
    """CP-SAT proves what the referee found, and no bound lies above it."""
    best = best_plan(shop, goal, FAR)
    exact = METHODS["CP-SAT"].solve(shop, Question(goal, Limit(deterministic=2.0)))
    judged(shop, goal, best, exact)
    if best is None or (exact.plan is not None and exact.plan.makespan > FAR):
        return
    assert not violations(shop, best[1])
    assert goal.values(shop, best[1]) == best[0]
    assert lower_bound(shop, goal) <= best[0][0]
    assert (exact.status, exact.values) == ("optimal", best[0])


@given(questions())
def test_proofs_and_bounds_are_right_for_every_goal(question: tuple[JobShop, Goal]) -> None:
    proved(*question)


@pytest.mark.parametrize("method", LIMITS)
@settings(max_examples=settings.default.max_examples // 4)
@given(question=questions())
def test_no_method_breaks_a_rule_or_beats_the_best_plan(method: str, question: tuple[JobShop, Goal]) -> None:
    shop, goal = question
    if shop.ovens and method != "auto":
        return
    best = best_plan(shop, goal, FAR)
    found = METHODS[method].solve(shop, Question(goal, LIMITS[method]))
    judged(shop, goal, best, found)
    if best is not None:
        reached = found.values == best[0]
        event(f"{method}: {'the best plan' if reached else 'no plan' if found.plan is None else 'another plan'}")
        # At this size nothing is left to be found by others.
        assert reached or method != "auto" or found.plan is None or found.plan.makespan > FAR


@settings(max_examples=settings.default.max_examples // 2)
@given(choices())
def test_what_is_left_out_is_as_cheap_as_can_be(question: tuple[JobShop, Goal]) -> None:
    proved(*question)


@pytest.mark.parametrize("method", LIMITS)
@settings(max_examples=settings.default.max_examples // 8)
@given(question=choices())
def test_no_method_leaves_out_what_must_be_done(method: str, question: tuple[JobShop, Goal]) -> None:
    shop, goal = question
    if shop.ovens and method != "auto":
        return
    best = best_plan(shop, goal, FAR)
    found = METHODS[method].solve(shop, Question(goal, LIMITS[method]))
    judged(shop, goal, best, found)
    if best is not None:
        reached = found.values == best[0]
        event(f"{method}: {'the best choice' if reached else 'no plan' if found.plan is None else 'another plan'}")
        assert reached or method != "auto" or found.plan is None or found.plan.makespan > FAR


@pytest.mark.parametrize("method", ["local search", "simulated annealing"])
@settings(max_examples=settings.default.max_examples // 8)
@given(shop=plain_shops(), data=st.data())
def test_local_search_finds_the_best_choice(method: str, shop: JobShop, data: st.DataObject) -> None:
    shop = replace(shop, jobs=data.draw(priced(shop.jobs)))
    weights = {"makespan": 1, LEFT_OUT: data.draw(st.integers(1, 3))}
    goal = Goal.of(weights) if method == "local search" else Goal.of("weighted_tardiness").on(shop)
    found = METHODS[method].solve(shop, Question(goal, Limit(iterations=8000)))
    best = best_plan(shop, goal, FAR)
    judged(shop, goal, best, found)
    assert best is not None
    assert found.values == best[0]


@pytest.mark.parametrize("method", ["local search", "simulated annealing", "shifting bottleneck"])
@settings(max_examples=settings.default.max_examples // 4)
@given(shop=plain_shops(), data=st.data())
def test_searches_of_plain_shops_beat_no_best_plan(method: str, shop: JobShop, data: st.DataObject) -> None:
    terms = ["makespan", "tardiness", "weighted_completion", "late_jobs", "max_tardiness"]
    goal = Goal.of(data.draw(st.sampled_from(terms if method == "simulated annealing" else terms[:1])))
    best = best_plan(shop, goal, FAR)
    assert best is not None
    judged(shop, goal, best, METHODS[method].solve(shop, Question(goal, Limit(iterations=2000))))


@settings(max_examples=settings.default.max_examples // 4)
@given(questions(most_operations=5))
def test_no_point_of_a_front_is_beaten_or_beats_what_is_proved(question: tuple[JobShop, Goal]) -> None:
    shop, goal = question
    if len(goal.levels) != 2:
        goal = Goal.of("makespan", "weighted_tardiness")
    first, second = (best_plan(shop, Goal(levels, goal.reference), FAR) for levels in (goal.levels, goal.levels[::-1]))
    front = pareto_front(shop, Question(goal, Limit(deterministic=5.0)), points=3)
    if first is None or second is None or any(point.plan.makespan > FAR for point in front.points):
        return
    for point in front.points:
        assert not violations(shop, point.plan)
        assert point.values == goal.values(shop, point.plan)
        assert point.values >= first[0]
        assert point.values[::-1] >= second[0]
    assert front.second_bound <= second[0][0]
    if front.proved:
        assert front.points[0].values == first[0]


def judged(shop: JobShop, goal: Goal, best: tuple[tuple[int, ...], Plan] | None, found: Solution) -> None:
    """An answer keeps all rules, and says nothing better, and proves nothing, than the best plan allows."""
    if found.plan is None:
        assert found.status != "infeasible" or best is None, found.reason
        assert found.reason
        return
    assert not violations(shop, found.plan)
    assert found.values == goal.values(shop, found.plan)
    if found.plan.makespan > FAR:
        return  # later than the referee looks
    assert best is not None
    assert found.values >= best[0]
    assert found.bound <= best[0][0]
    assert found.status != "optimal" or found.values == best[0]
