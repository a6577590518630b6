"""Small shops with everything planners' calendars have: every solver and the checker against trying all plans."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.calendars import Minutes, best_makespan, candidates, planned_shops
from twinloop.contracts import Plan
from twinloop.errors import InputError
from twinloop.scheduling.checker import violations
from twinloop.scheduling.problem import JobShop

LAST = 40


@settings(max_examples=100, deadline=None)
@given(planned_shops(), st.data())
def test_the_checker_accepts_exactly_what_can_be_done_unit_by_unit(fields: dict, data: st.DataObject) -> None:
    try:
        shop = JobShop(**fields)
    except InputError:
        return
    minutes = Minutes(shop, LAST)
    ways = candidates(minutes)
    for _ in range(20):
        rows = []
        for own in ways.values():
            if not own:
                return
            rows.append(own[min(data.draw(st.integers(0, 8)) + data.draw(st.integers(0, 8)), len(own) - 1)])
        by_machine = sorted(rows, key=lambda a: (a.machine, a.start))
        apart = all(a.machine != b.machine or a.end <= b.start for a, b in itertools.pairwise(by_machine))
        assert (apart and minutes.fits(rows)) == (not violations(shop, Plan.of(rows)))


@settings(max_examples=100, deadline=None)
@given(planned_shops())
def test_the_exact_solver_finds_the_best_of_all_plans(fields: dict) -> None:
    try:
        shop = JobShop(**fields)
    except InputError:
        return
    minutes = Minutes(shop, LAST)
    best = best_makespan(minutes)
    solution = shop.solve("makespan", method="CP-SAT", deterministic=2.0)
    if best is None:
        assert solution.plan is None or solution.plan.makespan > LAST - 12
        return
    assert (solution.status, solution.objective) == ("optimal", best), shop
    assert not violations(shop, solution.plan)
    assert solution.bound <= best


@pytest.mark.parametrize("method", ["MWKR", "annealing"])
@settings(max_examples=25, deadline=None)
@given(fields=planned_shops())
def test_every_other_method_keeps_the_rules_and_beats_no_best_plan(method: str, fields: dict) -> None:
    try:
        shop = JobShop(**fields)
    except InputError:
        return
    solution = shop.solve("makespan", method=method, iterations=30)
    if solution.plan is None:
        assert solution.reason
        return
    assert not violations(shop, solution.plan)
    exact = shop.solve("makespan", method="CP-SAT", deterministic=2.0)
    assert exact.objective is not None
    assert exact.objective <= solution.objective
