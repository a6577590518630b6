"""Earliest starts, and that what comes before a search grows with the operations alone; work is counted, not timed."""

import sys
from collections.abc import Callable

import pytest
from hypothesis import given

from tests.scheduling.shops import rich_shops
from twinloop.scheduling.bounds import horizon, lower_bound, spans
from twinloop.scheduling.checker import violations
from twinloop.scheduling.heads import heads
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.problem.generate import rich_shop
from twinloop.scheduling.solvers.rich.layout import Tables
from twinloop.scheduling.solvers.rich.priorities import NUMBERS
from twinloop.scheduling.solvers.rich.schemes import parallel
from twinloop.scheduling.solvers.rules import dispatch


@given(rich_shops())
def test_heads_are_the_first_of_all_starts_that_are_left(shop: JobShop) -> None:
    left = spans(shop, dict.fromkeys(shop.by_name, horizon(shop, Goal.of("makespan"))))
    for key, row in heads(shop).items():
        assert [(h.machine, h.first, h.first_end) for h in row] == [
            (m.machine, m.first, m.first_end) for m in left[key]
        ]


def lines(work: Callable[[], object]) -> int:
    """How many lines of Python a piece of work runs."""
    count = 0

    def trace(*_: object) -> Callable[..., object]:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


SMALL, LARGE = (rich_shop(jobs, 8, 5, seed=1) for jobs in (60, 240))
WORK = {
    "bound of lateness": lambda shop: lower_bound(shop, "weighted_tardiness"),
    "bound of the makespan": lambda shop: lower_bound(shop, "makespan"),
    "tables": lambda shop: Tables.of(shop),
    "checker": lambda shop: violations(shop, PLANS[len(shop.jobs)]),
}
PLANS = {len(shop.jobs): dispatch(shop, "ATC") for shop in (SMALL, LARGE)}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_work_before_a_search_grows_with_the_operations_alone(work: Callable[[JobShop], object]) -> None:
    # Four times the operations: an exponent of 1.15 is a factor of 4.92.
    assert lines(lambda: work(LARGE)) < 4**1.15 * lines(lambda: work(SMALL))


def test_a_rule_looks_at_no_more_jobs_for_each_operation_of_a_longer_plan() -> None:
    looks = []
    for jobs in (600, 2400):
        tables = Tables.of(rich_shop(jobs, 20, 5, seed=1))
        looks.append(parallel(tables.layout, tables.state(), NUMBERS["ATC"], 0.0, 100.0, 10.0) / tables.count)
    assert looks[1] < 4**0.15 * looks[0]
