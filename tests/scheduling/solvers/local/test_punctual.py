"""Jobs just in time, and jobs after jobs: times are the best their sequences allow, and plans the best there are."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.referee import best_plan
from tests.scheduling.shops import every_plan, flexible_shops, shops
from twinloop.scheduling.checker import check
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solvers.local.annealing import Timed, solve_annealing
from twinloop.scheduling.solvers.local.arrays import Arrays
from twinloop.scheduling.solvers.local.costs import costs_of
from twinloop.scheduling.solvers.local.moves import Walk
from twinloop.scheduling.solvers.local.punctual import timed
from twinloop.scheduling.solvers.local.times import best_ends

JUST_IN_TIME = Goal.of({"earliness": 1, "weighted_tardiness": 1})
GOALS = (
    JUST_IN_TIME,
    Goal.of("earliness", "tardiness"),
    Goal.of({"earliness": 2, "weighted_completion": 1, "late_jobs": 5}),
    Goal.of("late_jobs", "earliness", "makespan"),
    Goal.of({"earliness": 1, "makespan": 1, "max_tardiness": 2}),
)


@st.composite
def punctual_shops(draw: st.DrawFn) -> JobShop:
    """Small shops with due dates that are too late, too."""
    shop = draw(shops(most_jobs=4, most_operations=2) | flexible_shops())
    jobs = [
        replace(job, due=draw(st.none() | st.integers(0, 30)), weight=draw(weights), earliness_weight=draw(weights))
        for job in shop.jobs
    ]
    return replace(shop, jobs=tuple(jobs))


weights = st.integers(0, 4)


def single(*jobs: tuple[int, int, int, int]) -> JobShop:
    """One machine; jobs by (duration, due date, weight of lateness, of earliness)."""
    made = [
        Job(str(k), (Operation("m", time),), due=due, weight=w, earliness_weight=e)
        for k, (time, due, w, e) in enumerate(jobs)
    ]
    return JobShop(("m",), tuple(made))


def test_a_block_moves_right_as_long_as_that_gains() -> None:
    # 0 may end at its date; 1 follows at once, 2 late by then and heavy: the block of 1 and 2 does not move further.
    shop = single((3, 10, 1, 1), (2, 12, 1, 3), (4, 14, 2, 1))
    found = solve_annealing(shop, Question(JUST_IN_TIME, Limit(iterations=2_000)))
    check(shop, found.plan)
    assert found.values == best_plan(shop, JUST_IN_TIME, 40)[0]


def test_jobs_that_only_gain_together_are_moved_together() -> None:
    # Both a and b push the last operation of c: neither pays for its lateness alone (2 against 3), but both do.
    jobs = (
        Job("a", (Operation("m", 2),), due=10, earliness_weight=2),
        Job("b", (Operation("n", 2),), due=10, earliness_weight=2),
        Job("c", (Operation("m", 1), Operation("n", 1)), due=4, weight=3),
    )
    shop = JobShop(("m", "n"), jobs)
    arrays, costs = Arrays.of(shop), costs_of(shop, JUST_IN_TIME)
    before, after = np.array([-1, -1, 0, 1], dtype=np.int32), np.array([2, 3, -1, -1], dtype=np.int32)
    rows = arrays.rows(np.array([0, 1, 0, 1], dtype=np.int32), before, after)
    annealer, walk = Timed(arrays, costs, seed=1), Walk.of(arrays)
    assert timed(arrays.layout, annealer._precedence, costs, rows, walk) == 16 + 14
    ends = best_ends(arrays, costs, rows, walk.end)
    # Cost 23: further right b would be late as well.
    assert ends.tolist() == [9, 10, 10, 11]


@settings(max_examples=40)
@given(punctual_shops(), st.sampled_from(GOALS))
def test_the_best_times_are_no_worse_than_those_of_the_search(shop: JobShop, goal: Goal) -> None:
    arrays, costs = Arrays.of(shop, assembly=True), costs_of(shop, goal)
    annealer = Timed(arrays, costs, seed=1)
    rows, walk = annealer._constructed(0.0), Walk.of(arrays)
    value = timed(arrays.layout, annealer._precedence, costs, rows, walk)
    plans = [
        arrays.plan(rows.machine, ends - rows.duration) for ends in (walk.end, best_ends(arrays, costs, rows, walk.end))
    ]
    for plan in plans:
        check(shop, plan)
    quick, best = (goal.values(shop, plan) for plan in plans)
    assert best <= quick
    if len(goal.levels) == 1 and not any(job.firm for job in shop.jobs):
        assert quick == (value,)


@settings(max_examples=40)
@given(punctual_shops(), st.sampled_from(GOALS))
def test_a_small_shop_is_planned_as_punctually_as_can_be(shop: JobShop, goal: Goal) -> None:
    found = solve_annealing(shop, Question(goal, Limit(iterations=20_000)))
    check(shop, found.plan)
    assert found.values == best_plan(shop, goal, 80)[0]


@settings(max_examples=40)
@given(shops(most_operations=2), st.sampled_from(["makespan", "weighted_tardiness", "late_jobs", "completion"]))
def test_jobs_after_jobs_are_planned_as_well_as_brute_force_can(shop: JobShop, term: str) -> None:
    goal = Goal.of(term)
    found = solve_annealing(shop, Question(goal, Limit(iterations=20_000)))
    check(shop, found.plan)
    assert found.values == min(goal.values(shop, plan) for plan in every_plan(shop))


def test_a_start_is_never_made_worse_and_the_seed_decides() -> None:
    shop = single(*((2 + k % 3, 5 * k, 1 + k % 2, 1) for k in range(9)))
    first, second = (solve_annealing(shop, Question(JUST_IN_TIME, Limit(iterations=3_000), seed=4)) for _ in range(2))
    assert first.plan == second.plan
    again = solve_annealing(shop, Question(JUST_IN_TIME, Limit(iterations=1), start=first.plan))
    assert again.values <= first.values
