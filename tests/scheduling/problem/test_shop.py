import dataclasses
from typing import Any

import pytest
from hypothesis import given

from tests.scheduling.shops import every_plan, rich_shop, shops, single
from twinloop.contracts import Assignment
from twinloop.errors import InputError
from twinloop.scheduling.problem import LARGEST_TIME, Alternative, Job, JobShop, Material, Operation, Pool, Window


def job(name: str = "3", **changes: Any) -> Job:
    given: dict[str, Any] = {
        "operations": (Operation("mill", 2), Operation("press", 3), Operation("mill", 1))
    } | changes
    return Job(name, **given)


def second(duration: Any, machine: Any = "press") -> Job:
    return job(operations=(Operation("mill", 2), Operation("mill", 2), Operation(machine, duration)))


BAD: dict[str, tuple[Job, str]] = {
    "negative duration": (second(-5), "job 3 operation 2: duration = -5: expected a whole number from 0"),
    "zero duration on one machine": (
        job(operations=(Operation("mill", 2, (Alternative("press", 0),)),)),
        "job 3 operation 0: takes no time on one machine only",
    ),
    "NaN duration": (second(float("nan")), "job 3 operation 2: duration = nan"),
    "infinite duration": (second(float("inf")), "job 3 operation 2: duration = inf"),
    "fractional duration": (second(1.5), "job 3 operation 2: duration = 1.5"),
    "text duration": (second("5"), "job 3 operation 2: duration = '5'"),
    "true as duration": (second(True), "job 3 operation 2: duration = True"),
    "overflowing duration": (second(2**63), "job 3 operation 2: duration = 9223372036854775808"),
    "unknown machine": (second(1, "lathe"), "job 3 operation 2: unknown machine 'lathe'; known: mill, press"),
    "no operations": (job(operations=()), "job 3: expected at least one operation"),
    "no release": (job(release=None), "job 3: release = None"),
    "negative weight": (job(weight=-1), "job 3: weight = -1"),
    "NaN due date": (job(due=float("nan")), "job 3: due date = nan"),
    "firm without due date": (job(firm=True), "job 3: expected a due date, because it is firm"),
    "after an unknown job": (job(after=("9",)), "job 3: comes after '9', which is no job"),
    "no name": (job(""), "expected a job name"),
}


@pytest.mark.parametrize(("bad", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_job_is_refused_in_one_line_that_names_it(bad: Job, message: str) -> None:
    with pytest.raises(InputError, match="^[^\n]*$") as caught:
        JobShop(("mill", "press"), (job("0"), bad))
    assert message in str(caught.value)


def test_a_shop_without_jobs_or_machines_is_refused() -> None:
    with pytest.raises(InputError, match="at least one job"):
        JobShop(("mill",), ())
    with pytest.raises(InputError, match="at least one machine"):
        JobShop((), (job(),))


def test_duplicate_names_are_refused() -> None:
    with pytest.raises(InputError, match="job '3' is there twice"):
        JobShop(("mill", "press"), (job(), job()))
    with pytest.raises(InputError, match="machine 'mill' is there twice"):
        JobShop(("mill", "mill"), (job(),))


def test_times_that_overflow_together_are_refused() -> None:
    long = (Operation("mill", LARGEST_TIME),)
    with pytest.raises(InputError, match="use a coarser time unit"):
        JobShop(("mill",), (Job("a", long), Job("b", long)))
    with pytest.raises(InputError, match="use smaller weights"):
        JobShop(("mill",), (Job("a", long, weight=2**30),))


def test_heads_follow_releases_routes_and_precedence() -> None:
    first = Job("first", (Operation("mill", 4), Operation("press", 2)), release=3)
    then = Job("then", (Operation("mill", 5), Operation("press", 1)), release=1, after=("first",))
    shop = JobShop(("mill", "press"), (then, first))
    assert shop.heads == {"first": (3, 7), "then": (9, 14)}
    assert shop.shortest("then") == 15
    assert shop.order == ("first", "then")


def test_weighted_tardiness_counts_only_late_minutes() -> None:
    shop = single((1, 0, 10, 2), (1, 0, 10, 5))
    assert shop.weighted_tardiness({"a": 13, "b": 9}) == 6


@given(shops(most_jobs=3, most_operations=2))
def test_no_semi_active_plan_exceeds_the_horizon_or_starts_before_its_head(shop: JobShop) -> None:
    for plan in every_plan(shop):
        assert plan.makespan <= shop.horizon
        assert all(a.start >= shop.heads[a.job][a.operation] for a in plan)


def rich(**changes: Any) -> Any:
    return lambda: dataclasses.replace(rich_shop(), **changes)


def with_operation(**changes: Any) -> Any:
    return rich(jobs=(Job("a", (Operation("saw", 1), dataclasses.replace(Operation("mill", 2), **changes))),))


BAD_RICH: dict[str, tuple[Any, str]] = {
    "closed unknown machine": (rich(closed={"drill": (Window(1, 2),)}), "closed: unknown machine 'drill'"),
    "window ends first": (rich(closed={"saw": (Window(5, 5),)}), "machine saw: closed window 5 … 5: expected its end"),
    "windows overlap": (rich(closed={"saw": (Window(1, 5), Window(4, 6))}), "1 … 5 and 4 … 6 overlap: join them"),
    "negative set-up": (rich(setups={"saw": {("a", "b"): -1}}), "set-up on saw from a to b = -1"),
    "transport from nowhere": (rich(transport={("dock", "saw"): 1}), "transport: unknown machine 'dock'"),
    "no capacity": (rich(pools=(Pool("cutter", 0),)), "pool cutter: capacity = 0: expected a whole number from 1"),
    "demand above capacity": (
        with_operation(pools={"cutter": 2}),
        "job a operation 1: needs 2 of pool cutter, which has 1: enlarge the pool",
    ),
    "unknown pool": (with_operation(pools={"welder": 1}), "job a operation 1: unknown pool 'welder'; known: cutter"),
    "unknown material": (with_operation(materials={"gold": 1}), "job a operation 1: unknown material 'gold'"),
    "never delivered": (
        with_operation(materials={"bar": 7}),
        "material bar: 7 are needed, but only 6 are in stock or ever delivered",
    ),
    "delivery of nothing": (rich(materials=(Material("bar", 9, ((3, 0),)),)), "quantity of the delivery at 3 = 0"),
    "same machine twice": (
        with_operation(alternatives=(Alternative("mill", 3),)),
        "machine 'mill' is named twice among its alternatives",
    ),
    "alternative unknown": (with_operation(alternatives=(Alternative("drill", 3),)), "unknown machine 'drill'"),
    "first may not follow": (
        rich(jobs=(Job("a", (Operation("saw", 1, no_wait=True),)),)),
        "job a operation 0: no_wait follows an operation before it",
    ),
    "frozen elsewhere": (rich(frozen=(Assignment("shaft", 0, "mill", 0, 4),)), "is on mill, expected saw"),
    "frozen unknown": (
        rich(frozen=(Assignment("shaft", 7, "mill", 0, 4),)),
        "job shaft operation 7 is not in the shop",
    ),
    "frozen backwards": (rich(frozen=(Assignment("shaft", 0, "saw", 4, 4),)), "expected its end after 4"),
    "earliness": (rich(jobs=(Job("a", (Operation("saw", 1),), earliness_weight=-1),)), "earliness weight = -1"),
}


@pytest.mark.parametrize(("make", "message"), BAD_RICH.values(), ids=BAD_RICH.keys())
def test_a_bad_calendar_resource_or_frozen_operation_is_named(make: Any, message: str) -> None:
    with pytest.raises(InputError, match="^[^\n]*$") as caught:
        make()
    assert message in str(caught.value)


def test_a_shop_knows_whether_it_is_plain_or_flexible() -> None:
    assert JobShop(("mill", "press"), (job(),)).plain
    assert not rich_shop().plain
    assert rich_shop().flexible
    assert not JobShop(("mill", "press"), (job(),)).flexible


def test_an_operation_knows_its_modes() -> None:
    operation = rich_shop().by_name["shaft"].operations[1]
    assert [mode.machine for mode in operation.modes] == ["mill", "lathe"]
    assert (operation.shortest, operation.longest, operation.on("lathe")) == (6, 8, 8)
    with pytest.raises(KeyError):
        operation.on("saw")
