"""Auto: as good as its parts, proved where a proof is near, the same answer whatever the number of workers."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.shops import FT10, every_plan, flexible_shops, plain_shops, rich_plan, rich_shop, shops, single
from twinloop.scheduling.checker import check
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.problem.generate import classical_shop, with_due_dates
from twinloop.scheduling.problem.generate import rich_shop as generated
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solvers.portfolio import solve_auto

MAKESPAN = Goal.of("makespan")


def ft10(folder: Path) -> JobShop:
    (folder / "ft10.txt").write_text(FT10)
    return JobShop.read(folder / "ft10.txt")


def test_ft10_is_proved_optimal(tmp_path):
    shop = ft10(tmp_path)
    found = solve_auto(shop, Question(MAKESPAN, Limit(deterministic=6.0)))
    check(shop, found.plan)
    assert (found.status, found.objective, found.bound) == ("optimal", 930, 930)


def test_search_and_proof_side_by_side_also_end_with_the_optimum(tmp_path):
    shop = ft10(tmp_path)
    found = solve_auto(shop, Question(MAKESPAN, Limit(seconds=60.0), seed=2, workers=2))
    check(shop, found.plan)
    assert (found.status, found.objective) == ("optimal", 930)
    assert [item.objective for item in found.trace] == sorted({item.objective for item in found.trace}, reverse=True)


# Singer and Pinedo 1998: ft10 with due dates at 1.6 × the job's work.
@pytest.mark.parametrize("limit", [Limit(deterministic=8.0), Limit(seconds=120.0)], ids=["deterministic", "clock"])
def test_the_weighted_tardiness_of_ft10_is_proved_optimal(limit, tmp_path):
    shop = with_due_dates(ft10(tmp_path), 1.6)
    found = solve_auto(shop, Question(Goal.of("weighted_tardiness"), limit, workers=2))
    check(shop, found.plan)
    assert (found.status, found.objective, found.bound) == ("optimal", 141, 141)


def test_set_up_alone_leaves_no_idle_time():
    jobs = [Job(name, (Operation("m", 10, family=family),)) for name, family in zip("abcd", "ABAB", strict=True)]
    times = {("A", "B"): 60, ("B", "A"): 20}
    shop = JobShop(("m",), tuple(jobs), setups={"m": times})
    for method in ("auto", "CP-SAT"):
        found = shop.solve("setup", method=method, deterministic=2.0)
        check(shop, found.plan)
        assert (found.status, found.values) == ("optimal", (20,))
        assert found.plan.makespan == 60


def test_between_plans_of_equal_set_up_jobs_end_early():
    jobs = (Job("long", (Operation("m", 9, family="A"),)), Job("short", (Operation("m", 1, family="A"),)))
    found = JobShop(("m",), jobs, setups={"m": {("A", "B"): 5}}).solve("setup", deterministic=1.0)
    assert [a.job for a in found.plan] == ["short", "long"]


def test_by_the_clock_every_worker_goes_over_the_pieces_of_a_large_rich_shop():
    shop, goal = generated(40, 5, 8, seed=2), Goal.of({"weighted_tardiness": 1, "earliness": 1})
    heard = []
    found = solve_auto(shop, Question(goal, Limit(seconds=3.0), workers=2), tell=heard.append)
    check(shop, found.plan)
    assert found.objective == heard[-1].objective == min(item.objective for item in heard)


def test_a_large_shop_is_proved_by_its_machine_bound_alone():
    shop = classical_shop(60, 6, time_seed=5, machine_seed=6)
    found = solve_auto(shop, Question(MAKESPAN, Limit(iterations=3000)))
    check(shop, found.plan)
    assert found.status == "optimal"


@settings(max_examples=25, deadline=None)
@given(shop=st.one_of(plain_shops(), flexible_shops()))
def test_small_plain_shops_are_solved_as_well_as_brute_force_can(shop):
    found = solve_auto(shop, Question(MAKESPAN, Limit(deterministic=0.5)))
    check(shop, found.plan)
    assert found.objective == min(plan.makespan for plan in every_plan(shop))


@settings(max_examples=15, deadline=None)
@given(shop=shops())
def test_tardiness_of_small_shops_is_that_of_brute_force(shop):
    goal = Goal.of("weighted_tardiness")
    found = solve_auto(shop, Question(goal, Limit(deterministic=1.0)))
    check(shop, found.plan)
    assert found.values == min(goal.values(shop, plan) for plan in every_plan(shop))


def test_a_rich_shop_is_planned_at_least_as_well_as_by_hand():
    goal = Goal.of("weighted_tardiness", "makespan")
    found = solve_auto(rich_shop(), Question(goal, Limit(deterministic=2.0)))
    check(rich_shop(), found.plan)
    assert found.values <= goal.values(rich_shop(), rich_plan())
    assert found.status == "optimal"


@pytest.mark.parametrize("goal", [MAKESPAN, Goal.of("weighted_tardiness")], ids=["makespan", "tardiness"])
def test_without_a_clock_the_answer_does_not_depend_on_the_workers(goal, tmp_path):
    shop = ft10(tmp_path)
    one, two = (
        solve_auto(shop, Question(goal, Limit(deterministic=0.2), seed=7, workers=workers)) for workers in (1, 2)
    )
    assert one == two


def test_a_start_plan_is_never_made_worse(tmp_path):
    shop = ft10(tmp_path)
    start = solve_auto(shop, Question(MAKESPAN, Limit(iterations=20_000), seed=3)).plan
    found = solve_auto(shop, Question(MAKESPAN, Limit(iterations=1), seed=4, start=start))
    assert found.objective <= start.makespan


@pytest.mark.parametrize("goal", [MAKESPAN, Goal.of("weighted_tardiness")], ids=["makespan", "tardiness"])
def test_however_short_the_time_there_is_a_plan(goal):
    shop = generated(40, 5, 5, seed=1)
    found = solve_auto(shop, Question(goal, Limit(seconds=0.001)))
    check(shop, found.plan)
    assert found.trace[0].objective == found.objective


def test_due_dates_that_cannot_be_met_are_explained():
    shop = single((6, 0, 6, 1), (6, 0, 6, 1), firm=True)
    found = solve_auto(shop, Question(Goal.of("weighted_tardiness"), Limit(deterministic=1.0)))
    assert found.status == "infeasible"
    assert "jobs a and b conflict on mill" in found.reason
