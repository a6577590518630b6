import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.shops import rich_plan, rich_shop, rich_shops, single
from twinloop.contracts import Plan
from twinloop.scheduling.checker import check
from twinloop.scheduling.objectives import TERMS, Goal, Term
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation, Pool, Window
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solvers.cpsat import solve_cpsat
from twinloop.scheduling.solvers.neighbourhoods import solve_neighbourhoods
from twinloop.scheduling.solvers.rules import dispatch


def workshop(jobs: int) -> JobShop:
    """Set-ups, shifts, people and alternatives, far too large to be solved at once."""
    draw = random.Random(1)
    machines = tuple(f"m{k}" for k in range(6))
    orders = []
    for k in range(jobs):
        operations = []
        for _ in range(5):
            first, second = draw.sample(machines, 2)
            other = (Alternative(second, draw.randint(5, 40)),) if draw.random() < 0.3 else ()
            family, pools = draw.choice("abc"), {"people": 1} if draw.random() < 0.5 else {}
            minutes = draw.randint(5, 40)
            operations.append(Operation(first, minutes, other, family, pools, resumable=draw.random() < 0.5))
        release = draw.randint(0, 8 * jobs)
        orders.append(Job(str(k), tuple(operations), release, release + 300, draw.randint(1, 4)))
    return JobShop(
        machines,
        tuple(orders),
        stops={name: tuple(Window(480 * day + 420, 480 * day + 480) for day in range(20)) for name in machines},
        setups={name: {(a, b): 5 for a in "abc" for b in "abc" if a != b} for name in machines[:3]},
        pools=(Pool("people", 3),),
    )


def test_a_large_rich_plan_becomes_better_on_every_goal() -> None:
    shop = workshop(30)
    start = dispatch(shop, "FIFO")
    assert start is not None
    goals = Goal.of("makespan"), Goal.of("weighted_tardiness"), Goal.of({"setup": 3, "tardiness": 1}, "makespan")
    for goal in goals:
        found = solve_neighbourhoods(shop, Question(goal, Limit(iterations=15), start=start))
        assert found.plan is not None
        check(shop, found.plan)
        assert found.values == goal.values(shop, found.plan)
        assert found.values[0] < goal.values(shop, start)[0]
        assert [i.objective for i in found.trace] == sorted({i.objective for i in found.trace}, reverse=True)


@settings(max_examples=20, deadline=None)
@given(rich_shops(most_jobs=3, most_operations=3), st.sampled_from(TERMS[:6]))
def test_small_shops_are_solved_as_a_whole_and_proved(shop: JobShop, term: Term) -> None:
    goal = Goal.of(term)
    found = solve_neighbourhoods(shop, Question(goal, Limit(deterministic=0.3)))
    exact = solve_cpsat(shop, Question(goal, Limit(deterministic=5)))
    if found.plan is None:
        assert "no rule finds a first plan" in found.reason
        return
    check(shop, found.plan)
    assert found.objective is not None
    assert exact.objective is not None
    assert found.bound <= exact.bound <= exact.objective <= found.objective
    if found.status == "optimal":
        assert found.objective == exact.objective


def test_the_later_levels_are_searched_without_losing_the_first() -> None:
    goal = Goal.of("energy", "setup", "makespan")
    found = solve_neighbourhoods(rich_shop(), Question(goal, Limit(deterministic=1), start=rich_plan()))
    assert (found.status, found.values) == ("optimal", (3500, 2, 27))


def test_the_same_seed_gives_the_same_plan_and_iterations_are_a_limit() -> None:
    shop, goal = workshop(20), Goal.of("weighted_tardiness")
    first, second = (solve_neighbourhoods(shop, Question(goal, Limit(iterations=6), seed=3)) for _ in range(2))
    assert first == second


def test_without_a_first_plan_there_is_none() -> None:
    found = solve_neighbourhoods(
        single((5, 0, 6, 1), (5, 0, 6, 1), firm=True), Question(Goal.of("makespan"), Limit(iterations=3))
    )
    assert (found.status, found.plan) == ("no plan", None)
    assert found.reason == "no rule finds a first plan: give one to start from"


def test_a_start_that_breaks_a_rule_is_replaced() -> None:
    found = solve_neighbourhoods(rich_shop(), Question(Goal.of("makespan"), Limit(deterministic=0.5), start=Plan(())))
    assert (found.status, found.values) == ("optimal", (24,))
