"""Why a job is late, in words that name the machine, the queue, the calendar, the release, the material."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings

from tests.scheduling.shops import shops
from twinloop.contracts import Assignment, Plan
from twinloop.scheduling import Job, JobShop, Material, Operation, Pool, Window
from twinloop.scheduling.clock import Clock, Say
from twinloop.scheduling.critical import job_paths
from twinloop.scheduling.lateness import end_alone, late_frame, late_jobs
from twinloop.scheduling.objectives import job_ends

UNITS = Say.of(None, minutes=False)


def plan(*rows: tuple[str, int, str, int, int]) -> Plan:
    """A plan of (job, operation, machine, start, end)."""
    return Plan.of(Assignment(*row) for row in rows)


def chain(shop: JobShop, rows: Iterable[tuple[str, int, str, int, int]]) -> tuple[str, ...]:
    """Why the only late job is late."""
    (late,) = late_jobs(shop, plan(*rows), UNITS)
    return late.chain


def one(name: str, duration: int, **more: object) -> Job:
    """A job of one operation on the mill."""
    return Job(name, (Operation("mill", duration),), **more)  # type: ignore[arg-type]


CHAINS = {
    "a queue": (
        JobShop(("mill",), (one("a", 4), one("b", 5), one("c", 3, due=6))),
        [("a", 0, "mill", 0, 4), ("b", 0, "mill", 4, 9), ("c", 0, "mill", 9, 12)],
        ("it waits for mill, which works on a, b until 9",),
    ),
    "a queue behind a release": (
        JobShop(("mill",), (one("a", 4, release=3), one("c", 3, due=6))),
        [("a", 0, "mill", 3, 7), ("c", 0, "mill", 7, 10)],
        ("it waits for mill, which works on a until 7", "a is released 3"),
    ),
    "a calendar": (
        JobShop(("mill",), (one("c", 3, due=6),), closed={"mill": (Window(2, 8),)}),
        [("c", 0, "mill", 8, 11)],
        ("even alone in the shop it would end 11", "mill is closed until 8"),
    ),
    "its own work": (
        JobShop(("mill",), (one("c", 9, due=6),)),
        [("c", 0, "mill", 0, 9)],
        ("even alone in the shop it would end 9",),
    ),
    "a set-up": (
        JobShop(
            ("mill",),
            (Job("a", (Operation("mill", 4, family="x"),)), Job("c", (Operation("mill", 3, family="y"),), due=8)),
            setups={"mill": {("x", "y"): 2}},
        ),
        [("a", 0, "mill", 0, 4), ("c", 0, "mill", 6, 9)],
        ("it waits for mill, which works on a until 4, then set-up for 2",),
    ),
    "a tool": (
        JobShop(
            ("mill", "saw"),
            (
                Job("a", (Operation("saw", 4, pools={"jig": 1}),)),
                Job("c", (Operation("mill", 3, pools={"jig": 1}),), due=6),
            ),
            pools=(Pool("jig"),),
        ),
        [("a", 0, "saw", 0, 4), ("c", 0, "mill", 4, 7)],
        ("it waits for jig, with a until 4",),
    ),
    "a delivery": (
        JobShop(
            ("mill",),
            (Job("c", (Operation("mill", 3, materials={"bar": 1}),), due=6),),
            materials=(Material("bar", 0, ((5, 1),)),),
        ),
        [("c", 0, "mill", 5, 8)],
        ("it waits for bar, delivered 5",),
    ),
    "another job": (
        JobShop(("mill", "saw"), (one("a", 4), Job("c", (Operation("saw", 3),), due=6, after=("a",)))),
        [("a", 0, "mill", 0, 4), ("c", 0, "saw", 4, 7)],
        ("it comes after a, which ends 4",),
    ),
    "nothing": (
        JobShop(("mill",), (one("c", 3, due=6),)),
        [("c", 0, "mill", 5, 8)],
        ("it could start 5 earlier on mill: nothing held it",),
    ),
}


@pytest.mark.parametrize(("shop", "rows", "expected"), CHAINS.values(), ids=CHAINS.keys())
def test_what_held_a_late_job_is_named(shop, rows, expected) -> None:
    assert chain(shop, rows) == expected


def test_times_are_dates_where_the_start_is_known() -> None:
    shop, rows, _ = CHAINS["a queue"]
    (late,) = late_jobs(shop, plan(*rows), Say.of(Clock.of("2026-12-01T06:00+01:00")))
    assert late.reason == "it waits for mill, which works on a, b until Tue 1 Dec 06:09"


@settings(max_examples=40)
@given(shop=shops())
def test_exactly_the_late_jobs_are_named_each_with_a_reason(shop: JobShop) -> None:
    solution = shop.solve("makespan", method="SPT", iterations=1)
    assert solution.plan is not None
    ends = job_ends(solution.plan)
    late = late_jobs(shop, solution.plan, UNITS)
    assert {one.job for one in late} == {j.name for j in shop.jobs if j.due is not None and ends[j.name] > j.due}
    assert all(one.reason and one.late > 0 for one in late)
    assert len(late_frame(late)) == len(late)
    paths = job_paths(shop, solution.plan, [job.name for job in shop.jobs])
    for job in shop.jobs:
        assert end_alone(shop, job.name) <= ends[job.name]
        steps = paths[job.name].steps
        assert (steps[-1].placed.job, steps[-1].placed.end) == (job.name, ends[job.name])
