from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.shops import FT06, FT10, every_plan, shops, single, tardiness
from twinloop.scheduling.checker import check
from twinloop.scheduling.files.text import read_jsp
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.solution import Incumbent, semi_active
from twinloop.scheduling.solvers.cpsat import build, solve_cpsat
from twinloop.scheduling.solvers.rules import dispatch


def instance(text: str, folder: Path) -> JobShop:
    (folder / "instance.txt").write_text(text)
    return read_jsp(folder / "instance.txt")


def test_ft06_is_proved_optimal_at_55(tmp_path: Path) -> None:
    shop = instance(FT06, tmp_path)
    found = solve_cpsat(shop, "makespan", limit=2, seed=1, hint=dispatch(shop, "MWKR"))
    assert (found.status, found.objective, found.bound, found.gap) == ("optimal", 55, 55, 0)
    assert found.plan is not None
    check(shop, found.plan)
    assert found.plan.makespan == 55


def test_ft10_is_found_within_two_percent_of_930(tmp_path: Path) -> None:
    shop = instance(FT10, tmp_path)
    found = solve_cpsat(shop, "makespan", limit=0.7, seed=1, hint=dispatch(shop, "SPT"))
    assert found.plan is not None
    check(shop, found.plan)
    assert found.objective == found.plan.makespan
    assert 930 <= found.plan.makespan <= 930 * 1.02
    assert found.bound <= 930


def test_a_two_machine_flow_shop_reaches_johnsons_optimum() -> None:
    # Johnson 1954: 3-1-4-5-2 for these five jobs, makespan 24.
    times = [(5, 2), (1, 6), (9, 7), (3, 8), (10, 4)]
    jobs = tuple(Job(str(k), (Operation("m1", a), Operation("m2", b))) for k, (a, b) in enumerate(times))
    shop = JobShop(("m1", "m2"), jobs)
    free = 0
    clock = 0
    for a, b in (times[k] for k in (1, 3, 2, 4, 0)):
        clock += a
        free = max(free, clock) + b
    found = solve_cpsat(shop, "makespan", limit=2, seed=1)
    assert (found.status, found.objective) == ("optimal", free) == ("optimal", 30)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.integers(0, 15), st.integers(0, 20), st.integers(0, 5)), min_size=1, max_size=6
    )
)
def test_single_machine_weighted_tardiness_equals_brute_force(jobs: list[tuple[int, int, int, int]]) -> None:
    shop = single(*((p, r, r + slack, w) for p, r, slack, w in jobs))
    plans = list(every_plan(shop))
    best = min((tardiness(shop, plan), plan.makespan) for plan in plans)
    found = solve_cpsat(shop, "weighted_tardiness", limit=5, seed=1, hint=dispatch(shop, "ATC"))
    assert found.plan is not None
    check(shop, found.plan)
    assert (found.status, found.objective, found.bound) == ("optimal", best[0], best[0])
    assert (tardiness(shop, found.plan), found.plan.makespan) == best


@settings(max_examples=20, deadline=None)
@given(shops(most_jobs=3, most_operations=2), st.booleans())
def test_small_job_shops_equal_brute_force(shop: JobShop, late: bool) -> None:
    best = min(tardiness(shop, plan) if late else plan.makespan for plan in every_plan(shop))
    found = solve_cpsat(shop, "weighted_tardiness" if late else "makespan", limit=5, seed=1)
    assert found.plan is not None
    check(shop, found.plan)
    assert semi_active(shop, found.plan) == found.plan
    assert (found.status, found.objective, found.bound) == ("optimal", best, best)


def test_the_same_seed_gives_the_same_answer_and_trace(tmp_path: Path) -> None:
    shop = instance(FT10, tmp_path)
    late = JobShop(
        shop.machines,
        tuple(Job(j.name, j.operations, due=2 * j.work, weight=1 + k % 3) for k, j in enumerate(shop.jobs)),
    )
    for objective in ("makespan", "weighted_tardiness"):
        first, second = (solve_cpsat(late, objective, limit=0.1, seed=5, hint=dispatch(late, "ATC")) for _ in range(2))
        assert first == second
        assert len(first.trace) > 1


def test_the_trace_improves_and_is_heard(tmp_path: Path) -> None:
    shop = instance(FT10, tmp_path)
    heard: list[Incumbent] = []
    found = solve_cpsat(shop, "makespan", limit=0.05, seed=1, hint=dispatch(shop, "SPT"), tell=heard.append)
    assert tuple(heard) == found.trace
    objectives = [incumbent.objective for incumbent in heard]
    assert objectives == sorted(set(objectives), reverse=True)
    assert objectives[0] == dispatch(shop, "SPT").makespan
    assert found.objective is not None
    assert found.objective <= objectives[-1]


def test_impossible_firm_due_dates_are_a_status() -> None:
    found = solve_cpsat(single((5, 0, 6, 1), (5, 0, 6, 1), firm=True), "makespan", limit=1, seed=1)
    assert (found.status, found.plan, found.objective, found.gap) == ("infeasible", None, None, None)


def test_running_out_of_time_without_a_plan_is_a_status(tmp_path: Path) -> None:
    found = solve_cpsat(instance(FT10, tmp_path), "weighted_tardiness", limit=1e-9, seed=1)
    assert found.status == "no plan"
    assert "1e-09 deterministic seconds" in found.reason
    assert found.gap is None


def test_a_tie_break_that_would_overflow_is_left_out() -> None:
    small, huge = single((3, 0, 5, 1)), single((2**30, 0, 5, 2**20))
    models = build(small, "weighted_tardiness"), build(huge, "weighted_tardiness")
    assert [model.scale for model in models if model] == [4, 1]
    found = solve_cpsat(huge, "weighted_tardiness", limit=1, seed=1)
    assert found.objective == 2**20 * (2**30 - 5)


@pytest.mark.parametrize("objective", ["makespan", "weighted_tardiness"])
def test_a_job_waits_for_those_it_comes_after(objective: str) -> None:
    shop = JobShop(
        ("mill", "press"),
        (Job("a", (Operation("mill", 4),), due=4, after=("b",)), Job("b", (Operation("press", 3),), due=3)),
    )
    found = solve_cpsat(shop, objective, limit=1, seed=1)  # type: ignore[arg-type]
    assert found.plan is not None
    assert found.plan.makespan == 7
