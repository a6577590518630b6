from typing import Any

import pytest
from hypothesis import given

from tests.scheduling.shops import every_plan, shops, single
from twinloop.errors import InputError
from twinloop.scheduling.problem import LARGEST_TIME, Job, JobShop, Operation


def job(name: str = "3", **changes: Any) -> Job:
    given: dict[str, Any] = {
        "operations": (Operation("mill", 2), Operation("press", 3), Operation("mill", 1))
    } | changes
    return Job(name, **given)


def second(duration: Any, machine: Any = "press") -> Job:
    return job(operations=(Operation("mill", 2), Operation("mill", 2), Operation(machine, duration)))


BAD: dict[str, tuple[Job, str]] = {
    "negative duration": (second(-5), "job 3 operation 2: duration = -5: expected a whole number from 1"),
    "zero duration": (second(0), "job 3 operation 2: duration = 0"),
    "NaN duration": (second(float("nan")), "job 3 operation 2: duration = nan"),
    "infinite duration": (second(float("inf")), "job 3 operation 2: duration = inf"),
    "fractional duration": (second(1.5), "job 3 operation 2: duration = 1.5"),
    "text duration": (second("5"), "job 3 operation 2: duration = '5'"),
    "true as duration": (second(True), "job 3 operation 2: duration = True"),
    "overflowing duration": (second(2**63), "job 3 operation 2: duration = 9223372036854775808"),
    "unknown machine": (second(1, "lathe"), "job 3 operation 2: unknown machine 'lathe'; known: mill, press"),
    "no operations": (job(operations=()), "job 3: expected at least one operation"),
    "due before release": (job(release=10, due=9), "job 3: due date 9 lies before its release 10"),
    "negative release": (job(release=-1), "job 3: release = -1"),
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
