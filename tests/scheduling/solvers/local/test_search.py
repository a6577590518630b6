"""Tabu search and relinking against known optima, brute force and the checker."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.shops import FT06, FT10, every_plan, flexible_shops, plain_shops, rich_shop, single
from twinloop.errors import InputError
from twinloop.scheduling.checker import check
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solvers.local.search import solve_local
from twinloop.scheduling.solvers.rules import dispatch

MAKESPAN = Goal.of("makespan")


def instance(text: str, folder: Path) -> JobShop:
    (folder / "instance.txt").write_text(text)
    return JobShop.read(folder / "instance.txt")


@pytest.mark.parametrize(("text", "optimum"), [(FT06, 55), (FT10, 930)], ids=["ft06", "ft10"])
def test_the_optimum_of_fisher_and_thompson_is_found(text, optimum, tmp_path):
    shop = instance(text, tmp_path)
    found = solve_local(shop, Question(MAKESPAN, Limit(iterations=400_000), seed=5), bound=optimum)
    check(shop, found.plan)
    assert found.objective == found.plan.makespan == optimum
    assert found.status == "optimal"


@pytest.mark.parametrize("neighbourhood", [5, 6, 7])
def test_every_neighbourhood_comes_close_to_the_optimum_of_ft10(neighbourhood, tmp_path):
    shop = instance(FT10, tmp_path)
    found = solve_local(shop, Question(MAKESPAN, Limit(iterations=60_000), seed=3), neighbourhood=neighbourhood)
    check(shop, found.plan)
    assert 930 <= found.objective <= 960


@pytest.mark.parametrize(("name", "best"), [("mk01", 40), ("mk02", 26), ("mk04", 60)])
def test_flexible_shops_reach_the_best_known_makespan(name, best, shared_data):
    path = shared_data / f"scheduling/fjsp/brandimarte/{name}.txt"
    if not path.is_file():
        pytest.skip(f"no instances at {path.parent}")
    shop = JobShop.read(path)
    found = solve_local(shop, Question(MAKESPAN, Limit(iterations=30_000)), bound=best)
    check(shop, found.plan)
    assert found.objective == best


@settings(max_examples=60, deadline=None)
@given(shop=st.one_of(plain_shops(), flexible_shops()), seed=st.integers(0, 5))
def test_a_small_shop_is_planned_as_well_as_brute_force_can(shop, seed):
    found = solve_local(shop, Question(MAKESPAN, Limit(iterations=5000), seed=seed))
    check(shop, found.plan)
    assert found.bound <= found.objective == found.plan.makespan
    assert found.objective == min(plan.makespan for plan in every_plan(shop))


def test_the_same_seed_and_iterations_give_the_same_plan_on_any_number_of_threads(tmp_path):
    shop = instance(FT10, tmp_path)
    plans = [
        solve_local(shop, Question(MAKESPAN, Limit(iterations=4000), seed=9, workers=workers), populations=3).plan
        for workers in (1, 2, 3)
    ]
    assert plans[0] == plans[1] == plans[2]


def test_a_start_plan_is_improved_and_every_better_plan_is_told(tmp_path):
    shop = instance(FT10, tmp_path)
    start, heard = dispatch(shop, "SPT"), []
    found = solve_local(shop, Question(MAKESPAN, Limit(iterations=20_000), start=start), tell=heard.append)
    check(shop, found.plan)
    assert found.objective < start.makespan
    assert tuple(heard) == found.trace
    assert [item.objective for item in heard] == sorted({item.objective for item in heard}, reverse=True)
    assert heard[-1].objective == found.objective


def test_releases_are_kept_and_count_in_the_makespan():
    shop = JobShop(
        ("mill",), (Job("late", (Operation("mill", 3),), release=10), Job("soon", (Operation("mill", 4),), release=2))
    )
    found = solve_local(shop, Question(MAKESPAN, Limit(iterations=100)))
    check(shop, found.plan)
    assert found.objective == 13


REFUSED = {
    "rich": (rich_shop(), MAKESPAN, Limit(iterations=10), "expected a shop without calendars"),
    "after": (
        JobShop(("m",), (Job("a", (Operation("m", 1),)), Job("b", (Operation("m", 1),), after=("a",)))),
        MAKESPAN,
        Limit(iterations=10),
        "use CP-SAT or auto",
    ),
    "goal": (single((3, 0, 4, 1)), Goal.of("tardiness"), Limit(iterations=10), "the makespan alone"),
    "limit": (single((3, 0, 4, 1)), MAKESPAN, Limit(deterministic=1.0), "a limit of iterations or seconds"),
}


@pytest.mark.parametrize(("shop", "goal", "limit", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_local_search_cannot_do_is_refused_in_one_line(shop, goal, limit, message):
    with pytest.raises(InputError, match=message):
        solve_local(shop, Question(goal, limit))
