from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.scheduling.rescheduling.happenings import happenings
from tests.scheduling.shops import rich_shops, single
from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError
from twinloop.scheduling.checker import violations
from twinloop.scheduling.execution.execution import CALM, Disruptions, LateDeliveries, Rework
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.question import Limit
from twinloop.scheduling.rescheduling.events import Breakdown, CancelledJob, RushJob
from twinloop.scheduling.rescheduling.replan import METHODS, Settings
from twinloop.scheduling.rescheduling.rolling import COMPARED, ROLLED, TIMES, compare_courses, roll
from twinloop.scheduling.solvers.rules import dispatch

ROUGH = Disruptions(
    {"m0": (15.0, 5.0), "m1": (20.0, 8.0)},
    duration_cv=0.3,
    rework={"m0": Rework(0.2)},
    deliveries={"bar": LateDeliveries(0.7, 10.0)},
)
MILL = Disruptions({"mill": (40.0, 15.0)}, 0.2)
QUICK = Settings(limit=Limit(deterministic=0.02), iterations=5)
SHOP = single((30, 0, 50, 1), (10, 0, 35, 4), (25, 5, 60, 2), (15, 0, 90, 3))
RUSH = RushJob(12, Job("rush", (Operation("mill", 8),), due=40, weight=5))


def start() -> Plan:
    plan = dispatch(SHOP, "EDD")
    assert plan is not None
    return plan


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.data(), rich_shops(), st.sampled_from(METHODS[:2]), st.integers(0, 3), st.sampled_from([0, 5]))
def test_any_course_of_a_day_ends_with_everything_done_by_the_rules(
    data: st.DataObject, shop: JobShop, method: str, replication: int, horizon: int
) -> None:
    plan = dispatch(shop, "FIFO")
    assume(plan is not None)
    assert plan is not None
    event = data.draw(happenings(shop, plan))
    # On a disturbed day the only job may not have begun yet.
    assume(not isinstance(event, CancelledJob) or len(shop.jobs) > 1)
    events = () if isinstance(event, Breakdown) else (event,)
    settings = replace(QUICK, frozen_horizon=horizon)
    rolled = roll(shop, plan, ROUGH, events, method=method, settings=settings, seed=1, replication=replication)  # type: ignore[arg-type]
    history = Plan.of(replace(r.planned, start=int(r.start), end=int(r.end)) for r in rolled.realised)
    # As it was, with all its delays, the day breaks no rule but waits that nobody could prevent.
    broken = violations(replace(rolled.shop, frozen=tuple(history)), history)
    assert {v.rule for v in broken} <= {"waits"}
    assert rolled.makespan == history.makespan


def test_a_calm_day_needs_no_reaction_and_is_as_planned() -> None:
    rolled = roll(SHOP, start(), CALM, seed=1)
    assert rolled.reactions == ()
    assert rolled.makespan == start().makespan


def test_what_was_planned_again_is_what_is_done() -> None:
    rolled = roll(SHOP, start(), CALM, (RUSH, CancelledJob(20, "d")), seed=1)
    assert [type(reaction.event) for reaction in rolled.reactions] == [RushJob, CancelledJob]
    assert {r.planned.job for r in rolled.realised} == {"a", "b", "c", "rush"}
    # EDD begins with b (10); rush, weight 5, comes at 12 and follows the 30 minutes of a.
    assert next(r for r in rolled.realised if r.planned.job == "rush").start == 40


def test_short_breakdowns_are_waited_out() -> None:
    every = roll(SHOP, start(), MILL, seed=3)
    none = roll(SHOP, start(), MILL, seed=3, least_repair=10_000)
    assert every.reactions
    assert none.reactions == ()


def test_a_job_that_is_done_is_not_cancelled_any_more() -> None:
    assert roll(SHOP, start(), CALM, (CancelledJob(79, "b"),), seed=1).reactions == ()


def test_missed_firm_dates_do_not_stop_the_floor() -> None:
    firm = single((30, 0, 30, 1), (10, 0, 40, 4), firm=True)
    plan = Plan.of([Assignment("a", 0, "mill", 0, 30), Assignment("b", 0, "mill", 30, 40)])
    rolled = roll(firm, plan, Disruptions({"mill": (15.0, 30.0)}), seed=1)
    assert {reaction.status for reaction in rolled.reactions} == {"no plan"}
    assert len(rolled.realised) == 2


def test_methods_are_compared_under_the_same_days_and_the_same_seed_gives_the_same() -> None:
    how = {"settings": QUICK, "seed": 2, "replications": 6}
    found = compare_courses(SHOP, start(), MILL, (RUSH,), **how)  # type: ignore[arg-type]
    again = compare_courses(SHOP, start(), MILL, (RUSH,), workers=2, **how)  # type: ignore[arg-type]
    assert found.frame.equals(again.frame)
    assert found.replications.equals(again.replications)
    assert found.frame.columns == list(COMPARED)
    assert found.replications.columns == list(ROLLED)
    assert found.times.columns == list(TIMES)
    assert found.frame["method"].to_list() == list(METHODS)
    assert found.frame["makespan_difference"][0] is None
    assert (found.times["longest_s"] >= found.times["median_s"]).all()
    for row in found.frame.to_dicts()[1:]:
        assert row["weighted_tardiness_difference"] == pytest.approx(
            row["weighted_tardiness_mean"] - found.frame["weighted_tardiness_mean"][0]
        )
    # A rush job that may go ahead is worth it.
    assert found.frame["weighted_tardiness_difference_high"][2] < 0


def test_breakdowns_are_drawn_not_given() -> None:
    with pytest.raises(InputError, match="rolling: got a breakdown among the events"):
        roll(SHOP, start(), CALM, (Breakdown(3, "mill", 5),), seed=1)
