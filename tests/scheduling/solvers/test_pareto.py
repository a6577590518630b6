import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.shops import every_timed_plan, rich_shop, rich_shops, single
from twinloop.errors import InputError
from twinloop.scheduling.checker import check
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solvers.pareto import SCHEMA, hypervolume, pareto_front

LIMIT = Limit(deterministic=20)


@settings(max_examples=25, deadline=None)
@given(rich_shops(most_jobs=2, most_operations=2, latest=12, firm=True))
def test_the_front_of_a_small_shop_equals_brute_force(shop: JobShop) -> None:
    goal = Goal.of("makespan", {"energy": 1, "setup": 2})
    values = {goal.values(shop, plan) for plan in every_timed_plan(shop)}
    expected = {v for v in values if not any(o != v and o[0] <= v[0] and o[1] <= v[1] for o in values)}
    front = pareto_front(shop, Question(Goal.of("makespan", {"energy": 1, "setup": 2}), LIMIT), points=200)
    assert [point.values for point in front.points] == sorted(expected)  # type: ignore[comparison-overlap]
    for point in front.points:
        check(shop, point.plan)
        assert goal.values(shop, point.plan) == point.values
        assert point.proved
        assert point.bound == point.values[0]
    assert front.proved == bool(expected)


def test_the_front_of_the_rich_shop_trades_time_for_energy() -> None:
    front = pareto_front(rich_shop(), Question(Goal.of("makespan", "energy"), LIMIT))
    assert front.goals == ("makespan", "energy")
    assert [point.values for point in front.points] == [(24, 15500), (27, 3500)]
    assert front.frame().columns == list(SCHEMA)
    assert front.hypervolume((30, 20000)) == 3 * 4500 + 3 * 16500
    assert front.hypervolume() <= front.hypervolume_bound()


def test_bounds_say_what_an_unproved_front_could_still_gain() -> None:
    shop = single(*((3 + k % 4, k, 6 + 3 * k, 1 + k % 3) for k in range(12)))
    reference = (100.0, 300.0)
    fronts = [
        pareto_front(shop, Question(Goal.of("makespan", "weighted_tardiness"), Limit(deterministic=seconds)), points=4)
        for seconds in (0.3, 20)
    ]
    volumes = [front.hypervolume(reference) for front in fronts]
    assert volumes[0] <= volumes[1] <= min(front.hypervolume_bound(reference) for front in fronts)
    assert fronts[1].proved


def test_hypervolume_is_the_area_that_is_dominated() -> None:
    # Three corners of a staircase; the dominated point and those beyond the reference add nothing.
    assert hypervolume([(1, 5), (2, 3), (4, 1)], (6, 6)) == 5 * 1 + 4 * 2 + 2 * 2
    assert hypervolume([(1, 5), (2, 3), (4, 1), (4, 4), (7, 0), (0, 9)], (6, 6)) == 17
    assert hypervolume([], (6, 6)) == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=8))
def test_hypervolume_counts_dominated_cells(points: list[tuple[int, int]]) -> None:
    cells = sum(any(a <= x and b <= y for a, b in points) for x in range(8) for y in range(8))
    assert hypervolume(points, (8, 8)) == cells


def test_a_shop_without_a_plan_has_no_front_but_a_reason() -> None:
    impossible = single((5, 0, 6, 1), (5, 0, 6, 1), firm=True)
    front = pareto_front(impossible, Question(Goal.of("makespan", "tardiness"), LIMIT))
    assert (front.points, front.reason, front.proved) == ((), "no plan exists", False)
    assert front.frame().is_empty()


def test_one_point_is_no_front() -> None:
    with pytest.raises(InputError, match="points = 1: expected at least 2"):
        pareto_front(rich_shop(), Question(Goal.of("makespan", "energy"), LIMIT), points=1)


def test_a_shop_with_an_oven_has_a_front() -> None:
    jobs = tuple(Job(str(k), (Operation("oven", 4, family="x"),), due=4) for k in range(3))
    shop = JobShop(("oven",), jobs, ovens={"oven": 2})
    front = pareto_front(shop, Question(Goal.of("makespan", "late_jobs"), Limit(deterministic=1.0)), points=2)
    assert [point.values for point in front.points] == [(8, 1)]
