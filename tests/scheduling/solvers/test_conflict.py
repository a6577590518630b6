import dataclasses

import pytest
from hypothesis import given, settings

from tests.scheduling.shops import every_timed_plan, rich_shop, rich_shops
from twinloop.contracts import Assignment
from twinloop.scheduling.problem import Job, JobShop, Material, Operation, Pool, Window
from twinloop.scheduling.solvers.conflict import explain


def due(shop: JobShop, **dates: int) -> JobShop:
    """The shop with firm due dates for the jobs that are named."""
    jobs = (dataclasses.replace(j, due=dates[j.name], firm=True) if j.name in dates else j for j in shop.jobs)
    return dataclasses.replace(shop, jobs=tuple(jobs))


def alone(operation: Operation, date: int, **limits: object) -> JobShop:
    """One firm job of one operation on the mill."""
    return JobShop(("mill",), (Job("a", (operation,), due=date, firm=True),), **limits)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shop", "reason"),
    [
        (
            alone(Operation("mill", 6), 12, stops={"mill": (Window(4, 9),)}),
            "job a cannot meet its due date 12: shortest route ends at 15; the least total delay is 3 (job a 3)",
        ),
        (
            alone(Operation("mill", 6, pools={"crew": 1}), 9, pools=(Pool("crew", 1, (Window(0, 5),)),)),
            "job a cannot meet its due date 9: shortest route ends at 11; the least total delay is 2 (job a 2)",
        ),
        (
            alone(Operation("mill", 6, materials={"bar": 1}), 9, materials=(Material("bar", 0, ((7, 1),)),)),
            "job a cannot meet its due date 9: shortest route ends at 13; the least total delay is 4 (job a 4)",
        ),
        (
            due(rich_shop(), shaft=16, cover=15),
            "jobs shaft and cover cannot all meet their due dates (shaft by 16, cover by 15) because of pool cutter, "
            "though any one fewer might; the least total delay is 4 (job cover 4)",
        ),
        (
            dataclasses.replace(
                rich_shop(), frozen=(Assignment("shaft", 0, "saw", 3, 7), Assignment("cover", 0, "saw", 6, 9))
            ),
            "jobs shaft and cover conflict on saw: 7 of work between 3 and 9",
        ),
    ],
    ids=["closed windows", "people", "material", "a set with its resource", "frozen operations"],
)
def test_the_reason_names_what_is_in_conflict_and_the_delay_that_would_do(shop: JobShop, reason: str) -> None:
    assert explain(shop, seed=1) == reason


def test_people_that_are_too_few_are_named() -> None:
    work = {name: (Operation(name, 6, pools={"crew": 1}),) for name in ("mill", "saw")}
    jobs = tuple(Job(name, operations, due=9, firm=True) for name, operations in work.items())
    reason = explain(JobShop(("mill", "saw"), jobs, pools=(Pool("crew", 1),)), seed=1)
    assert reason.startswith(
        "jobs mill and saw cannot all meet their due dates (mill by 9, saw by 9) because of pool crew, "
    )
    assert "the least total delay is 3" in reason


def test_set_ups_that_leave_too_little_time_are_named() -> None:
    jobs = tuple(Job(f, (Operation("mill", 4, family=f),), due=9, firm=True) for f in ("red", "blue"))
    setups = {"mill": {("red", "blue"): 3, ("blue", "red"): 2}}
    reason = explain(JobShop(("mill",), jobs, setups=setups), seed=1)
    assert "because of set-ups on mill" in reason
    assert "the least total delay is 1 (job red 1)" in reason


@settings(max_examples=25, deadline=None)
@given(rich_shops(most_jobs=2, most_operations=2, latest=10, firm=True))
def test_every_impossible_shop_gets_one_line_that_names_a_job(shop: JobShop) -> None:
    if next(every_timed_plan(shop), None) is not None:
        return
    reason = explain(shop, seed=1)
    assert "\n" not in reason
    assert "job" in reason
    assert "the least total delay is" in reason
