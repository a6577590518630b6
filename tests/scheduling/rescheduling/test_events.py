from dataclasses import replace

import pytest

from tests.scheduling.shops import rich_plan, rich_shop
from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError
from twinloop.scheduling.problem import Job, JobShop, Operation, Window
from twinloop.scheduling.rescheduling.events import (
    Breakdown,
    CancelledJob,
    LateMaterial,
    RushJob,
    after,
    described,
    prolonged,
)
from twinloop.scheduling.rescheduling.replan import Settings, replan

SHOP, PLAN = rich_shop(), rich_plan()
RUSH = Job("rush", (Operation("lathe", 3),), due=20, weight=5)


def begun(now: int) -> list[Assignment]:
    return [a for a in PLAN if a.start < now]


def test_a_breakdown_closes_the_machine() -> None:
    changed = after(SHOP, Breakdown(9, "mill", 5), begun=(), now=9)
    assert changed.stops["mill"] == (Window(8, 14), Window(20, 24))
    assert after(SHOP, Breakdown(1, "saw", 5), begun=(), now=0).stops["saw"] == (Window(1, 6),)


def test_what_runs_on_a_broken_machine_ends_later_and_nothing_else() -> None:
    assert prolonged(SHOP, begun(4), Breakdown(4, "saw", 5)) == [Assignment("shaft", 0, "saw", 3, 12)]
    assert prolonged(SHOP, begun(4), Breakdown(4, "mill", 5)) == begun(4)
    # Shaft 1 works 10 … 16 on the mill and may pause: 3 of 6 minutes are left, the window from 20 interrupts them.
    (_, _, shaft) = prolonged(SHOP, begun(13), Breakdown(13, "mill", 5))
    assert (shaft.start, shaft.end) == (10, 25)


def test_a_rush_job_is_released_when_it_comes() -> None:
    assert after(SHOP, RushJob(7, RUSH), begun=(), now=7).by_name["rush"].release == 7
    assert after(SHOP, RushJob(7, replace(RUSH, release=9)), begun=(), now=7).by_name["rush"].release == 9


def test_a_cancelled_job_keeps_what_it_has_begun_and_nobody_waits_for_it() -> None:
    gone = after(SHOP, CancelledJob(1, "shaft"), begun=begun(1), now=1)
    assert [job.name for job in gone.jobs] == ["cover", "base"]
    assert gone.by_name["base"].after == ()
    cut = after(SHOP, CancelledJob(5, "shaft"), begun=begun(5), now=5).by_name["shaft"]
    assert (len(cut.operations), cut.due, cut.weight) == (1, None, 0)


def test_late_material_comes_later() -> None:
    changed = after(SHOP, LateMaterial(4, "bar", 9, 17), begun=(), now=4)
    assert changed.materials[0].deliveries == ((3, 1), (17, 4))


def test_events_are_described() -> None:
    assert described(Breakdown(4, "saw", 5)) == "breakdown of saw at 4 for 5"
    assert described(RushJob(7, RUSH)) == "rush job rush at 7"
    assert described(CancelledJob(7, "base")) == "job base cancelled at 7"
    assert described(LateMaterial(4, "bar", 9, 17)) == "material bar at 17 instead of 9"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: replan(SHOP, PLAN, Breakdown(5, "press", 5)),
            "event: machine 'press' is not in the shop; known: saw,",
        ),
        (
            lambda: replan(SHOP, PLAN, Breakdown(5, "saw", -5)),
            "event: repair of saw = -5: expected a whole number from",
        ),
        (
            lambda: replan(SHOP, PLAN, Breakdown(5, "saw", 0)),
            "event: repair of saw = 0: expected a whole number from 1",
        ),
        (lambda: replan(SHOP, PLAN, Breakdown(5, "saw", 5), now=9), "event: breakdown of saw at 5 for 5 lies before"),
        (lambda: replan(SHOP, PLAN, Breakdown(-5, "saw", 5)), "re-planning: now = -5: expected a whole number from 0"),
        (
            lambda: replan(SHOP, PLAN, CancelledJob(5, "lid")),
            "event: job 'lid' is not in the shop; known: shaft, cover",
        ),
        (lambda: replan(SHOP, PLAN, CancelledJob(30, "base")), "event: job base cannot be cancelled at 30: its last"),
        (
            lambda: replan(
                JobShop(("saw",), (Job("a", (Operation("saw", 3),)),)),
                Plan.of([Assignment("a", 0, "saw", 0, 3)]),
                CancelledJob(0, "a"),
            ),
            "event: job a is the only one: cancelling it leaves nothing to plan",
        ),
        (
            lambda: replan(SHOP, PLAN, RushJob(5, Job("rush", (Operation("press", 3),)))),
            "job rush operation 0: unknown machine 'press'; known: lathe, mill, saw",
        ),
        (
            lambda: replan(SHOP, PLAN, RushJob(5, replace(RUSH, name="base"))),
            "event: rush job 'base' is in the shop already",
        ),
        (
            lambda: replan(SHOP, PLAN, LateMaterial(4, "tin", 9, 12)),
            "event: material 'tin' is not in the shop; known: bar",
        ),
        (lambda: replan(SHOP, PLAN, LateMaterial(4, "bar", 3, 12)), "event: no delivery of bar at 3 is still to come"),
        (
            lambda: replan(SHOP, PLAN, LateMaterial(4, "bar", 9, 5)),
            "event: new time of the delivery of bar = 5: expected",
        ),
        (
            lambda: replan(SHOP, Plan(()), Breakdown(5, "saw", 5)),
            "re-planning: expected a plan with operations, got an",
        ),
        (
            lambda: replan(SHOP, rich_plan(cover_0=("saw", 5, 8)), Breakdown(5, "saw", 5)),
            "re-planning: the plan breaks a rule of its shop: ",
        ),
        (
            lambda: replan(SHOP, PLAN, Breakdown(5, "saw", 5), method="magic"),  # type: ignore[arg-type]
            "re-planning: unknown method 'magic'; known: right-shift, repair, full",
        ),
        (lambda: Settings(stability=-1), "re-planning: stability = -1: expected a whole number from 0"),
        (lambda: Settings(frozen_horizon=-1), "re-planning: frozen horizon = -1: expected a whole number from 0"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(call, message):  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
