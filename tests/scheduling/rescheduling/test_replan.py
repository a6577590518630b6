import random
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.scheduling.rescheduling.happenings import happenings
from tests.scheduling.shops import rich_plan, rich_shop, rich_shops, single
from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.checker import check, violations
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.question import Limit
from twinloop.scheduling.rescheduling.events import Breakdown, CancelledJob, RushJob, prolonged
from twinloop.scheduling.rescheduling.replan import METHODS, Settings, replan
from twinloop.scheduling.solvers.rules import dispatch

QUICK = Settings(limit=Limit(deterministic=0.05), iterations=20)


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.data(), rich_shops(), st.sampled_from([0, 6]), st.sampled_from([0, 2]))
def test_after_any_event_every_method_has_a_valid_plan_that_keeps_what_has_begun(
    data: st.DataObject, shop: JobShop, horizon: int, stability: int
) -> None:
    plan = dispatch(shop, "FIFO")
    assume(plan is not None)
    assert plan is not None
    event = data.draw(happenings(shop, plan))
    settings = replace(QUICK, frozen_horizon=horizon, stability=stability)
    values = {}
    for method in METHODS:
        found = replan(shop, plan, event, method=method, settings=settings)
        assert found.plan is not None
        check(found.shop, found.plan)
        begun = prolonged(shop, [a for a in plan if a.start < event.time], event)
        assert set(begun) <= set(found.plan)
        assert set(begun) <= set(found.shop.frozen) <= set(found.plan)
        assert all(a.start >= event.time for a in found.plan if a not in begun)
        assert found.solution.values == settings.goal_from(plan).values(found.shop, found.plan)
        again = replan(shop, plan, event, method=method, settings=settings)
        assert again == found, "the same question has the same answer"
        values[method] = found.solution.values
    assert values["repair"] <= values["right-shift"]
    assert values["full"] <= values["right-shift"]


@hypothesis_settings(max_examples=30, deadline=None)
@given(st.data(), rich_shops())
def test_right_shift_keeps_machines_and_moves_nothing_forward(data: st.DataObject, shop: JobShop) -> None:
    plan = dispatch(shop, "EDD")
    assume(plan is not None)
    assert plan is not None
    event = data.draw(happenings(shop, plan))
    found = replan(shop, plan, event, method="right-shift").plan
    assert found is not None
    before = {(a.job, a.operation): a for a in plan}
    for a in found:
        if (a.job, a.operation) in before:
            assert a.machine == before[a.job, a.operation].machine
            assert a.start >= before[a.job, a.operation].start


def test_right_shift_is_the_plan_that_a_planner_would_draw() -> None:
    found = replan(rich_shop(), rich_plan(), Breakdown(4, "saw", 5), method="right-shift")
    assert found.plan == rich_plan(
        shaft_0=("saw", 3, 12), cover_0=("saw", 14, 17), shaft_1=("mill", 13, 19), cover_1=("lathe", 19, 24),
        base_0=("lathe", 24, 29),
    )  # fmt: skip
    assert found.solution.status == "feasible"
    assert found.given_up == ()
    assert found.reaction_s > 0


def test_a_rush_job_uses_a_gap_first_and_goes_ahead_where_repair_may() -> None:
    shop = single((10, 0, 200, 1), (10, 0, 200, 1), (10, 0, 200, 1))
    plan = Plan.of(Assignment(name, 0, "mill", k, k + 10) for name, k in (("a", 0), ("b", 10), ("c", 20)))
    rush = RushJob(5, Job("rush", (Operation("mill", 8),), due=20, weight=9))
    shifted, repaired = (replan(shop, plan, rush, method=m) for m in METHODS[:2])
    assert shifted.plan is not None
    assert repaired.plan is not None
    assert [a.job for a in shifted.plan] == ["a", "b", "c", "rush"]
    assert [a.job for a in repaired.plan][:2] == ["a", "rush"]
    assert repaired.solution.values == (0, 38)


def test_a_cancelled_job_leaves_its_time_to_others() -> None:
    shop = single((10, 0, 20, 1), (10, 0, 20, 1), (10, 0, 20, 1))
    plan = Plan.of(Assignment(name, 0, "mill", k, k + 10) for name, k in (("a", 0), ("b", 10), ("c", 20)))
    shifted, repaired = (replan(shop, plan, CancelledJob(5, "b"), method=m).plan for m in METHODS[:2])
    assert shifted is not None
    assert repaired is not None
    assert [a.start for a in shifted] == [0, 20]
    assert [a.start for a in repaired] == [0, 10]


def test_a_frozen_horizon_keeps_what_is_near_and_stability_keeps_the_rest() -> None:
    shop = single(*[(10, 0, 15 + 3 * k, 1 + k % 3) for k in range(8)])
    plan = dispatch(shop, "LPT")
    assert plan is not None
    event = Breakdown(25, "mill", 4)
    loose = replan(shop, plan, event, method="full", settings=QUICK)
    near = replan(shop, plan, CancelledJob(25, plan.assignments[-1].job), settings=replace(QUICK, frozen_horizon=30))
    assert near.plan is not None
    assert [a for a in near.plan if 25 <= a.start < 55] == [a for a in plan if 25 <= a.start < 55]
    steady = replan(shop, plan, event, method="full", settings=replace(QUICK, stability=1000))
    moved = [Goal.of("stability", reference=plan).values(f.shop, f.plan) for f in (steady, loose) if f.plan]
    assert moved[0] < moved[1]
    assert loose.solution.values is not None
    assert loose.solution.values < QUICK.goal.values(steady.shop, steady.plan or Plan(()))


def test_a_wait_that_the_event_forces_is_given_up_and_named() -> None:
    shop = JobShop(("saw", "lathe"), (Job("cast", (Operation("saw", 5), Operation("lathe", 5, no_wait=True))),))
    plan = Plan.of([Assignment("cast", 0, "saw", 0, 5), Assignment("cast", 1, "lathe", 5, 10)])
    for method in METHODS:
        found = replan(shop, plan, Breakdown(4, "lathe", 10), method=method, settings=QUICK)
        assert found.given_up == (("cast", 1),)
        assert found.plan is not None
        check(found.shop, found.plan)
        assert found.plan.makespan == 19
        assert {v.rule for v in violations(shop, found.plan)} == {"waits"}


def test_impossible_dates_are_a_status_with_a_reason() -> None:
    shop = single((10, 0, 12, 1), (10, 0, 25, 1), firm=True)
    plan = Plan.of([Assignment("a", 0, "mill", 0, 10), Assignment("b", 0, "mill", 10, 20)])
    event = Breakdown(12, "mill", 9)
    shifted, repaired, full = (replan(shop, plan, event, method=m, settings=QUICK) for m in METHODS)
    assert (shifted.plan, repaired.plan, full.plan) == (None, None, None)
    assert (shifted.solution.status, repaired.solution.status) == ("no plan", "no plan")
    assert shifted.solution.reason == "right-shift ends job b at 29, after its firm due date 25"
    assert full.solution.status == "infeasible"
    assert full.solution.reason


def test_events_follow_each_other() -> None:
    shop, plan = rich_shop(), rich_plan()
    for event in (
        Breakdown(4, "saw", 5),
        RushJob(6, Job("rush", (Operation("lathe", 3),), due=20)),
        CancelledJob(13, "base"),
    ):
        found = replan(shop, plan, event)
        assert found.plan is not None
        check(found.shop, found.plan)
        shop, plan = found.shop, found.plan
    assert {a.job for a in plan} == {"shaft", "cover", "rush"}


@pytest.mark.parametrize("goal", [Goal.of("weighted_tardiness", "makespan"), Goal.of("makespan")])
def test_a_large_shop_is_repaired_better_than_right_shifted(goal: Goal) -> None:
    luck = random.Random(1)
    machines = tuple(f"m{k}" for k in range(20))
    jobs = []
    for k in range(100):
        operations = tuple(Operation(machine, luck.randint(1, 99)) for machine in luck.sample(machines, 20))
        jobs.append(Job(f"j{k}", operations, due=luck.randint(2000, 6000)))
    shop = JobShop(machines, tuple(jobs))
    plan = dispatch(shop, "ATC")
    assert plan is not None
    event = Breakdown(1500, "m3", 300)
    shifted, repaired = (
        replan(shop, plan, event, method=m, settings=Settings(goal=goal, iterations=20)) for m in METHODS[:2]
    )
    assert repaired.plan is not None
    assert shifted.solution.values is not None
    assert repaired.solution.values is not None
    check(repaired.shop, repaired.plan)
    assert repaired.solution.values < shifted.solution.values
