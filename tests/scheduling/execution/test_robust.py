import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.scheduling.shops import rich_shops, single
from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError
from twinloop.scheduling.checker import check
from twinloop.scheduling.execution.execution import Disruptions, Rework
from twinloop.scheduling.execution.robust import (
    PRICE,
    Trial,
    buffered,
    candidates,
    choose,
    exposure,
    price_of_risk,
    price_of_slack,
    unbuffered,
)
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.solution import Solution
from twinloop.scheduling.solvers.rules import dispatch

DISRUPTIONS = Disruptions({"m0": (15.0, 5.0), "m1": (20.0, 8.0)}, 0.2, rework={"m2": Rework(0.2)})
MILL = Disruptions({"mill": (100.0, 30.0)})
SHOP = single((30, 0, 50, 1), (10, 0, 15, 4), (25, 5, 60, 2))


def by_rule(shop: JobShop) -> Solution:
    plan = dispatch(shop, "EDD")
    if plan is None:
        return Solution("EDD", "no plan", None, None, 0, reason="none")
    return Solution.of("EDD", shop, goal=Goal.of("makespan"), plan=plan, bound=0)


def in_turn(*names: str) -> Plan:
    found, time = [], 0
    for name in names:
        job = SHOP.by_name[name]
        time = max(time, job.release)
        found.append(Assignment(name, 0, "mill", time, time + job.work))
        time += job.work
    return Plan.of(found)


def test_exposure_is_expected_downtime_and_rework() -> None:
    found = Disruptions({"mill": (100.0, 30.0)}, rework={"mill": Rework(0.2), "saw": Rework(0.5, 8.0)})
    assert exposure(found, "mill", 50) == pytest.approx(50 * 0.3 + 50 * 0.25)
    assert exposure(found, "saw", 50) == 4.0
    assert exposure(found, "lathe", 50) == 0


@hypothesis_settings(max_examples=40, deadline=None)
@given(rich_shops(), st.floats(0, 3))
def test_a_plan_with_buffers_is_a_valid_plan_of_the_true_shop(shop: JobShop, slack: float) -> None:
    plan = dispatch(buffered(shop, DISRUPTIONS, slack=slack), "FIFO")
    assume(plan is not None)
    assert plan is not None
    check(shop, unbuffered(shop, plan))


def test_no_slack_changes_nothing_and_more_promises_later() -> None:
    assert buffered(SHOP, MILL, slack=0) == SHOP
    plans = candidates(SHOP, MILL, slacks=(0, 1, 2), planners={"EDD": by_rule})
    assert list(plans) == ["EDD, slack 0", "EDD, slack 1", "EDD, slack 2"]
    makespans = [plan.makespan for plan in plans.values()]
    assert makespans == sorted(set(makespans))


def test_an_operation_that_is_awaited_gets_no_buffer() -> None:
    shop = JobShop(("mill",), (Job("a", (Operation("mill", 50), Operation("mill", 50, no_wait=True))),))
    longer = buffered(shop, MILL, slack=1).jobs[0].operations
    assert [operation.duration for operation in longer] == [50, 65]


def test_the_choice_depends_on_the_risk_weight_and_is_judged_afresh() -> None:
    trial = Trial("weighted_tardiness", training=200, fresh=100, seed=3)
    plans = {"urgent first": in_turn("b", "a", "c"), "long first": in_turn("a", "c", "b")}
    found = choose(SHOP, plans, MILL, risk_weight=0.5, trial=trial)
    assert found.name == "urgent first"
    assert found.scores["urgent first"] < found.scores["long first"]
    assert len(found.fresh) == 100
    mean, worst = (choose(SHOP, plans, MILL, risk_weight=w, trial=trial).scores["long first"] for w in (0.0, 1.0))
    assert mean < found.scores["long first"] < worst


def test_the_price_of_slack_is_a_curve_of_promises_that_are_kept_more_often() -> None:
    frame = price_of_slack(SHOP, MILL, by_rule, slacks=(0.0, 1.0, 3.0), trial=Trial(training=2, fresh=100))
    assert frame.columns == list(PRICE)
    assert frame["planned"].is_sorted()
    assert frame["kept"].is_sorted()
    assert frame["kept"][0] < frame["kept"][2]
    assert (frame["cvar"] >= frame["realised_mean"]).all()
    # One machine without idle time: the sequence is the same, so is the day.
    assert np.ptp(frame["realised_mean"].to_numpy()) == pytest.approx(0, abs=8)


def test_the_price_of_risk_names_the_plan_of_every_weight() -> None:
    plans = {"urgent first": in_turn("b", "a", "c"), "long first": in_turn("a", "c", "b")}
    frame = price_of_risk(SHOP, plans, MILL, weights=(0.0, 1.0), trial=Trial(training=20, fresh=20))
    assert frame["risk_weight"].to_list() == [0.0, 1.0]
    assert set(frame["plan"]) <= set(plans)
    assert (frame["realised_low"] <= frame["realised_mean"]).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: buffered(SHOP, MILL, slack=-1), "robust: slack = -1: expected a finite number of at least 0"),
        (lambda: choose(SHOP, {}, MILL, risk_weight=0.5, trial=Trial()), "robust: expected at least one plan"),
        (
            lambda: choose(
                SHOP, {"a": in_turn("a", "b", "c")}, MILL, risk_weight=1.5, trial=Trial(training=2, fresh=2)
            ),
            "robust: risk weight = 1.5: expected a number from 0 to 1",
        ),
        (lambda: Trial(training=1), "robust: training = 1, fresh = 100: expected at least 2 of each"),
        (lambda: Trial(tail=0.0), "robust: tail = 0: expected a number between 0 and 1"),
    ],
)
def test_impossible_questions_are_refused_in_one_line(call, message):  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value).startswith(message)
