from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from tests.scheduling.shops import rich_shop, rich_shops, single
from twinloop.errors import InputError
from twinloop.scheduling.checker import check
from twinloop.scheduling.execution.execution import CALM, Disruptions
from twinloop.scheduling.execution.whatif import (
    DIFFERENCES,
    what_if,
    with_job,
    with_machine,
    with_shift,
    without_job,
)
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import Job, JobShop, Operation, Pool, Window
from twinloop.scheduling.solution import Solution
from twinloop.scheduling.solvers.rules import dispatch

SHOP = single((30, 0, 50, 1), (10, 0, 15, 4), (25, 5, 60, 2))


def by_rule(shop: JobShop) -> Solution:
    plan = dispatch(shop, "EDD")
    if plan is None:
        return Solution("EDD", "no plan", None, None, 0, reason="none")
    check(shop, plan)
    return Solution.of("EDD", shop, goal=Goal.of("makespan"), plan=plan, bound=0)


@hypothesis_settings(max_examples=25, deadline=None)
@given(rich_shops())
def test_a_twin_machine_can_do_what_the_first_can(shop: JobShop) -> None:
    more = with_machine(shop, "twin", like="m0")
    for job, other in zip(shop.jobs, more.jobs, strict=True):
        for before, after in zip(job.operations, other.operations, strict=True):
            can = {mode.machine: mode.duration for mode in before.modes}
            assert {m.machine: m.duration for m in after.modes} == can | ({"twin": can["m0"]} if "m0" in can else {})
    for name in (*shop.machines, "twin"):
        old = "m0" if name == "twin" else name
        assert more.transport.get((name, "m0")) == shop.transport.get((old, "m0"))
        assert more.stops.get(name) == shop.stops.get(old)
        assert more.setups.get(name) == shop.setups.get(old)
    assert by_rule(more).method == "EDD"


def test_a_shift_opens_what_was_closed() -> None:
    shop = replace(rich_shop(), pools=(Pool("cutter", 1, (Window(12, 13), Window(30, 40))),))
    assert with_shift(shop, 9, 22, machine="mill").stops == {"mill": (Window(8, 9), Window(22, 24))}
    everywhere = with_shift(shop, 0, 35)
    assert everywhere.stops == {"mill": ()}
    assert everywhere.pools[0].overtime == (Window(0, 35),)


def test_orders_come_and_go() -> None:
    more = with_job(SHOP, Job("rush", (Operation("mill", 5),), due=10))
    assert [job.name for job in more.jobs] == ["a", "b", "c", "rush"]
    after = with_job(SHOP, Job("then", (Operation("mill", 5),), after=("a", "b")))
    assert without_job(after, "a").by_name["then"].after == ("b",)


def test_two_machines_are_earlier_than_one_on_every_day() -> None:
    found = what_if(
        SHOP,
        with_machine(SHOP, "mill_2", like="mill"),
        by_rule,
        Disruptions({"mill": (60.0, 20.0)}, 0.2),
        like={"mill_2": "mill"},
        seed=1,
        replications=60,
    )
    assert found.frame is not None
    assert found.frame.columns == list(DIFFERENCES)
    rows = {row["figure"]: row for row in found.frame.to_dicts()}
    assert rows["planned makespan"]["difference"] < 0
    assert rows["planned makespan"]["difference_low"] is None
    for figure in ("makespan", "makespan CVaR"):
        row = rows[figure]
        assert row["difference"] == pytest.approx(row["changed"] - row["today"])
        assert row["difference_low"] < row["difference"] < row["difference_high"] < 0


def test_no_change_makes_no_difference() -> None:
    found = what_if(SHOP, SHOP, by_rule, Disruptions({"mill": (60.0, 20.0)}), seed=1, replications=5)
    assert found.frame is not None
    assert found.frame["difference"].to_list() == [0.0] * 6


def test_a_shop_without_a_plan_is_an_answer() -> None:
    firm = with_job(SHOP, Job("never", (Operation("mill", 50),), due=20, firm=True))

    def planner(shop: JobShop) -> Solution:
        return by_rule(shop) if shop == SHOP else Solution("EDD", "infeasible", None, None, 0, reason="too late")

    found = what_if(SHOP, firm, planner, CALM, seed=1, replications=2)
    assert (found.frame, found.changed.status) == (None, "infeasible")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: with_machine(SHOP, "b", like="lathe"), "what if: machine 'lathe' is not in the shop; known: mill"),
        (lambda: with_machine(SHOP, "mill", like="mill"), "what if: machine 'mill' is in the shop already"),
        (lambda: with_shift(SHOP, 0, 50), "what if: nothing is closed between 0 and 50"),
        (lambda: with_shift(SHOP, 50, 50), "what if: shift 50 … 50: expected a start from 0 on and an end after it"),
        (lambda: with_shift(SHOP, 0, 5, machine="x"), "what if: machine 'x' is not in the shop; known: mill"),
        (lambda: with_job(SHOP, SHOP.jobs[0]), "what if: job 'a' is in the shop already"),
        (lambda: with_job(SHOP, Job("z", (Operation("lathe", 3),))), "job z operation 0: unknown machine 'lathe'"),
        (lambda: without_job(SHOP, "z"), "what if: job 'z' is not in the shop; known: a, b, c"),
        (lambda: without_job(single((1, 0, 2, 1)), "a"), "what if: job a is the only one"),
        (
            lambda: what_if(SHOP, SHOP, by_rule, CALM, seed=1, replications=1),
            "what if: replications = 1: expected at least 2",
        ),
    ],
)
def test_changes_that_do_not_fit_are_refused_in_one_line(call, message):  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
