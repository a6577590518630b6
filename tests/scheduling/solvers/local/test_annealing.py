"""Moves are judged by exactly what they change, and annealing finds what is known to be best, for every goal."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.shops import FT06, FT10, every_plan, flexible_shops, plain_shops, rich_shop, single
from twinloop.errors import InputError
from twinloop.scheduling.checker import check
from twinloop.scheduling.files.problem import read_problem
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.problem.generate import with_due_dates
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solvers.local.annealing import solve_annealing
from twinloop.scheduling.solvers.local.arrays import Arrays
from twinloop.scheduling.solvers.local.construct import MOST_WORK, construct
from twinloop.scheduling.solvers.local.costs import costs_of
from twinloop.scheduling.solvers.local.metropolis import BEST, VALUE, Critical, anneal, settled
from twinloop.scheduling.solvers.local.moves import Walk, copied
from twinloop.scheduling.solvers.rules import dispatch

MAKESPAN = Goal.of("makespan")
GOALS = {
    "tardiness": Goal.of("tardiness"),
    "weighted": Goal.of("weighted_tardiness"),
    "late jobs": Goal.of("late_jobs"),
    "latest": Goal.of("max_tardiness"),
    "completion": Goal.of("completion"),
    "weighted completion": Goal.of("weighted_completion"),
    "makespan": MAKESPAN,
    "sum": Goal.of({"makespan": 3, "weighted_tardiness": 2, "late_jobs": 5}),
    "levels": Goal.of("late_jobs", {"tardiness": 2, "max_tardiness": 1}, "makespan"),
}
goals = st.sampled_from(list(GOALS.values()))


def instance(text: str, folder: Path) -> JobShop:
    (folder / "instance.txt").write_text(text)
    return read_problem(folder / "instance.txt").shop


def rows_of(arrays, seed):
    state = np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1)
    first = construct(arrays.layout, len(arrays.shop.machines), MOST_WORK, 0.5, 0.5, state)
    return arrays.rows(*first), state


def room(arrays):
    return Walk.of(arrays), Critical.of(arrays), np.zeros(2, dtype=np.int64)


@settings(max_examples=150, deadline=None)
@given(shop=plain_shops() | flexible_shops(), goal=goals, seed=st.integers(0, 99), hot=st.booleans())
def test_what_moves_are_said_to_cost_is_what_the_whole_solution_costs(shop, goal, seed, hot):
    arrays, costs = Arrays.of(shop), costs_of(shop, goal)
    (rows, state), (walk, critical, tally) = rows_of(arrays, seed), room(arrays)
    best = copied(rows)
    assert settled(arrays.layout, costs, rows, walk, critical, tally)
    for steps in (1, 1, 2, 5, 40):
        anneal(arrays.layout, costs, rows, best, walk, critical, tally, 1e9 if hot else 1.0, steps, state)
        for entry, solution in ((VALUE, rows), (BEST, best)):
            again, critical_again, tally_again = room(arrays)
            assert settled(arrays.layout, costs, copied(solution), again, critical_again, tally_again)
            assert tally_again[VALUE] == tally[entry]
            if solution is rows:
                assert again.end.tolist() == walk.end.tolist()
                assert again.first.tolist() == walk.first.tolist()
        assert sorted(walk.order.tolist()) == list(range(arrays.count))
        for before in (arrays.job_before, rows.before):
            assert all(walk.place[w] < walk.place[v] for v, w in enumerate(before) if w >= 0)


@settings(max_examples=60, deadline=None)
@given(shop=plain_shops() | flexible_shops(), goal=st.sampled_from([GOALS[n] for n in GOALS if n != "levels"]))
def test_costs_are_the_goals_values(shop, goal):
    arrays, costs = Arrays.of(shop), costs_of(shop, goal)
    (rows, _), (walk, critical, tally) = rows_of(arrays, 3), room(arrays)
    settled(arrays.layout, costs, rows, walk, critical, tally)
    plan = arrays.plan(rows.machine, walk.end - rows.duration)
    check(shop, plan)
    assert (tally[VALUE],) == goal.values(shop, plan)


@settings(max_examples=40, deadline=None)
@given(shop=plain_shops() | flexible_shops(), first=st.integers(0, 9), second=st.integers(0, 9))
def test_no_lower_level_outweighs_a_higher_one(shop, first, second):
    goal, values = GOALS["levels"], []
    arrays, costs = Arrays.of(shop), costs_of(shop, goal)
    for seed in (first, second):
        (rows, _), (walk, critical, tally) = rows_of(arrays, seed), room(arrays)
        settled(arrays.layout, costs, rows, walk, critical, tally)
        plan = arrays.plan(rows.machine, walk.end - rows.duration)
        values.append((goal.values(shop, plan), int(tally[VALUE])))
    (a, cost_a), (b, cost_b) = values
    assert (a < b) == (cost_a < cost_b)


@settings(max_examples=60, deadline=None)
@given(shop=plain_shops() | flexible_shops(), goal=goals, seed=st.integers(0, 3))
def test_a_small_shop_is_planned_as_well_as_brute_force_can(shop, goal, seed):
    found = solve_annealing(shop, Question(goal, Limit(iterations=20_000), seed=seed))
    check(shop, found.plan)
    assert found.values == min(goal.values(shop, plan) for plan in every_plan(shop))


# Singer and Pinedo 1998: due dates at 1.5 × the job's work.
def test_the_optimal_weighted_tardiness_of_ft10_is_found(tmp_path):
    shop = with_due_dates(instance(FT10, tmp_path), 1.5)
    found = solve_annealing(shop, Question(GOALS["weighted"], Limit(iterations=8_000_000), seed=1), bound=394)
    check(shop, found.plan)
    assert (found.status, found.objective) == ("optimal", 394)


def test_annealing_reaches_the_makespan_of_ft06_and_comes_close_to_ft10(tmp_path):
    assert solve_annealing(instance(FT06, tmp_path), Question(MAKESPAN, Limit(iterations=60_000))).objective == 55
    shop = instance(FT10, tmp_path)
    found = solve_annealing(shop, Question(MAKESPAN, Limit(iterations=200_000)))
    check(shop, found.plan)
    assert 930 <= found.objective <= 990


def test_the_same_seed_and_iterations_give_the_same_plan_on_any_number_of_threads(tmp_path):
    shop = with_due_dates(instance(FT06, tmp_path), 1.2)
    plans = [
        solve_annealing(
            shop, Question(GOALS["weighted"], Limit(iterations=20_000), seed=9, workers=workers), populations=3
        ).plan
        for workers in (1, 2, 3)
    ]
    assert plans[0] == plans[1] == plans[2]


def test_a_start_plan_is_never_made_worse_and_every_better_plan_is_told(tmp_path):
    shop = with_due_dates(instance(FT10, tmp_path), 1.3)
    start, heard = dispatch(shop, "ATC"), []
    goal = GOALS["weighted"]
    found = solve_annealing(shop, Question(goal, Limit(iterations=1), start=start))
    assert found.values <= goal.values(shop, start)
    found = solve_annealing(shop, Question(goal, Limit(iterations=40_000), start=start), tell=heard.append)
    assert tuple(heard) == found.trace
    assert [item.objective for item in heard] == sorted({item.objective for item in heard}, reverse=True)
    assert heard[-1].objective == found.objective


def test_firm_due_dates_are_kept_before_anything_else():
    # By weight alone b would go first.
    jobs = (
        Job("a", (Operation("m", 5),), due=5, weight=1, firm=True),
        Job("b", (Operation("m", 5),), due=5, weight=9),
    )
    found = solve_annealing(JobShop(("m",), jobs), Question(GOALS["weighted"], Limit(iterations=10_000)))
    assert [a.job for a in found.plan] == ["a", "b"]
    assert found.objective == 45


REFUSED = {
    "rich": (rich_shop(), MAKESPAN, Limit(iterations=10), "expected a shop without calendars"),
    "goal": (single((3, 0, 4, 1)), Goal.of("setup"), Limit(iterations=10), "the ends of jobs alone"),
    "limit": (single((3, 0, 4, 1)), MAKESPAN, Limit(deterministic=1.0), "a limit of iterations or seconds"),
}


@pytest.mark.parametrize(("shop", "goal", "limit", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_annealing_cannot_do_is_refused_in_one_line(shop, goal, limit, message):
    with pytest.raises(InputError, match=message):
        solve_annealing(shop, Question(goal, limit))
