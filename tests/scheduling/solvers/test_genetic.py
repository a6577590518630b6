"""The genetic algorithm and annealing on rich shops: brute force, the best rule, the checker, the same again."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.shops import every_timed_plan, rich_plan, rich_shop, rich_shops, single
from twinloop.contracts import Assignment
from twinloop.errors import InputError
from twinloop.scheduling.checker import check
from twinloop.scheduling.dispatching import RULES
from twinloop.scheduling.objectives import TERMS, Goal
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.problem.generate import rich_shop as random_rich_shop
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solvers.annealing import solve_annealing
from twinloop.scheduling.solvers.genetic import solve_genetic
from twinloop.scheduling.solvers.rich.layout import Tables
from twinloop.scheduling.solvers.rich.values import BEFORE, evaluate, reference, weights
from twinloop.scheduling.solvers.rules import dispatch

both = pytest.mark.parametrize("solve", [solve_genetic, solve_annealing])
SOLVERS = st.sampled_from([solve_genetic, solve_annealing])
REGULAR = (
    Goal.of("makespan"),
    Goal.of("weighted_tardiness", "makespan"),
    Goal.of("energy", {"setup": 2, "makespan": 1}),
)
FEW = Limit(iterations=300)


@settings(deadline=None, max_examples=60)
@given(
    shop=rich_shops(most_jobs=2, most_operations=2, latest=12, firm=True), goal=st.sampled_from(REGULAR), solve=SOLVERS
)
def test_tiny_shops_are_planned_as_well_as_brute_force_can(shop, goal, solve):
    best = min((goal.values(shop, plan) for plan in every_timed_plan(shop)), default=None)
    found = solve(shop, Question(goal, Limit(iterations=1500)))
    assert found.values == best
    if best is None:
        assert found.status == "no plan"
        assert "firm due dates" in found.reason
    else:
        check(shop, found.plan)
        assert goal.values(shop, found.plan) == best
        assert found.bound <= found.objective


@settings(deadline=None, max_examples=30)
@given(shop=rich_shops(most_jobs=2, most_operations=2, latest=12, firm=True))
def test_a_goal_that_gains_by_ending_late_gets_plans_that_wait(shop):
    goal = Goal.of({"earliness": 3, "setup": 1})
    best = min((goal.values(shop, plan) for plan in every_timed_plan(shop)), default=None)
    found = solve_genetic(shop, Question(goal, Limit(iterations=2000)))
    assert found.values == best


@settings(deadline=None, max_examples=40)
@given(shop=rich_shops(), goal=st.sampled_from(REGULAR), solve=SOLVERS, seed=st.integers(0, 3))
def test_no_seed_gives_a_plan_worse_than_the_best_rule(shop, goal, solve, seed):
    found = solve(shop, Question(goal, FEW, seed=seed))
    plans = [plan for rule in RULES if (plan := dispatch(shop, rule)) is not None]
    if found.plan is None:
        assert not plans
        return
    check(shop, found.plan)
    assert all(found.values <= goal.values(shop, plan) for plan in plans)
    assert found == solve(shop, Question(goal, FEW, seed=seed))


@both
def test_a_larger_shop_is_improved_and_every_better_plan_is_told(solve):
    shop, goal, heard = random_rich_shop(10, 4, 4, seed=2), Goal.of("weighted_tardiness", "setup"), []
    found = solve(shop, Question(goal, Limit(iterations=4000), seed=3), tell=heard.append)
    check(shop, found.plan)
    rules = [goal.values(shop, dispatch(shop, rule, delay=delay)) for rule in RULES for delay in (0.0, 0.5)]
    assert found.values < min(rules)
    assert tuple(heard) == found.trace
    told = [item.objective for item in heard]
    assert told == sorted(set(told), reverse=True)
    assert told[-1] == found.objective


@both
def test_a_start_plan_is_never_lost(solve):
    shop, goal = rich_shop(), Goal.of("stability", reference=rich_plan())
    found = solve(shop, Question(goal, Limit(iterations=1), start=rich_plan()))
    assert found.plan == rich_plan()
    assert found.status == "optimal"


@both
def test_stability_holds_on_to_the_earlier_plan(solve):
    shop = rich_shop()
    later = dataclasses.replace(shop, frozen=(Assignment("shaft", 0, "saw", 4, 9),))
    found = solve(later, Question(Goal.of("stability", reference=rich_plan()), Limit(iterations=3000)))
    check(later, found.plan)
    # The saw is set up at 11 instead of 9, and the lathe's two operations follow; the mill stays.
    assert found.values == (1 + 2 + 2 + 2,)


@both
def test_a_stopwatch_stops_it_too(solve):
    found = solve(rich_shop(), Question(Goal.of("makespan"), Limit(seconds=0.05)))
    check(rich_shop(), found.plan)


@both
def test_firm_due_dates_are_kept_where_no_rule_keeps_them(solve):
    # b and c have to come first although they are longer, listed last, and due no earlier than a's own end.
    jobs = (
        Job("a", (Operation("mill", 1), Operation("saw", 1)), due=30),
        Job("b", (Operation("mill", 5), Operation("saw", 20)), due=25, firm=True),
        Job("c", (Operation("mill", 3),), due=8, firm=True),
    )
    found = solve(JobShop(("mill", "saw"), jobs), Question(Goal.of("tardiness"), FEW))
    check(JobShop(("mill", "saw"), jobs), found.plan)
    assert found.values == (0,)


@both
def test_a_limit_it_cannot_count_is_refused(solve):
    with pytest.raises(InputError, match="expected a limit of iterations or seconds, got 2 deterministic seconds"):
        solve(single((3, 0, 4, 1)), Question(Goal.of("makespan"), Limit(deterministic=2.0)))


@both
def test_frozen_operations_that_contradict_each_other_leave_no_plan(solve):
    shop = dataclasses.replace(
        single((3, 0, 4, 1), (3, 0, 4, 1)),
        frozen=(Assignment("a", 0, "mill", 0, 3), Assignment("b", 0, "mill", 2, 5)),
    )
    found = solve(shop, Question(Goal.of("makespan"), FEW))
    assert (found.status, found.plan) == ("no plan", None)


@settings(deadline=None, max_examples=100)
@given(shop=rich_shops(), data=st.data())
def test_compiled_values_are_those_of_the_objectives(shop, data):
    plan = dispatch(shop, data.draw(st.sampled_from(list(RULES))))
    if plan is None:
        return
    level = st.dictionaries(st.sampled_from(TERMS), st.integers(1, 5), min_size=1)
    moved = [dataclasses.replace(a, start=a.start + k, end=a.end + k) for k, a in enumerate(plan)]
    goal = Goal(tuple(data.draw(st.lists(level, min_size=1, max_size=3))), type(plan).of(moved))
    tables = Tables.of(shop)
    state = tables.state()
    mode, start = tables.columns(plan)
    ends = {(a.job, a.operation): a.end for a in plan}
    state.mode[:], state.start[:] = mode, start
    state.end[:] = [ends[key] for key in tables.number]
    for m, machine in enumerate(shop.machines):
        row = [tables.number[a.job, a.operation] for a in plan if a.machine == machine]
        first = int(tables.layout.machines[m, 0])
        state.row[first : first + len(row)], state.row_count[m] = row, len(row)
    values = np.empty(BEFORE + len(goal.levels), dtype=np.int64)
    evaluate(tables.layout, state, weights(goal), reference(tables, goal), values)
    assert tuple(values[BEFORE:].tolist()) == goal.values(shop, plan)
    assert values[0] == 0
