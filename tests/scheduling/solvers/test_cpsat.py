import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.shops import (
    FT06,
    FT10,
    every_plan,
    every_timed_plan,
    flexible_shops,
    rich_plan,
    rich_shop,
    rich_shops,
    shops,
    single,
    tardiness,
)
from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.checker import check
from twinloop.scheduling.objectives import TERMS, Goal, Term
from twinloop.scheduling.problem import Alternative, Job, JobShop, Operation
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.solution import Incumbent, Solution, semi_active
from twinloop.scheduling.solvers.cpsat import solve_cpsat
from twinloop.scheduling.solvers.rules import dispatch

MAKESPAN, LATENESS = Goal.of("makespan"), Goal.of("weighted_tardiness", "makespan")


def instance(text: str, folder: Path) -> JobShop:
    (folder / "instance.txt").write_text(text)
    return JobShop.read(folder / "instance.txt")


def solve(shop: JobShop, goal: Goal = MAKESPAN, *, deterministic: float = 5, start: Plan | None = None) -> Solution:
    found = solve_cpsat(shop, Question(goal, Limit(deterministic=deterministic), start=start))
    if found.plan is not None:
        check(shop, found.plan)
        assert found.values == goal.values(shop, found.plan)
    return found


def test_ft06_is_proved_optimal_at_55(tmp_path: Path) -> None:
    found = solve(instance(FT06, tmp_path))
    assert (found.status, found.values, found.bound, found.gap) == ("optimal", (55,), 55, 0)


def test_ft10_is_proved_optimal_at_930_within_three_deterministic_seconds(tmp_path: Path) -> None:
    found = solve(instance(FT10, tmp_path), deterministic=3)
    assert (found.status, found.objective, found.bound) == ("optimal", 930, 930)


def test_a_two_machine_flow_shop_reaches_johnsons_optimum() -> None:
    # Johnson 1954: 3-1-4-5-2 for these five jobs, makespan 24.
    times = [(5, 2), (1, 6), (9, 7), (3, 8), (10, 4)]
    jobs = tuple(Job(str(k), (Operation("m1", a), Operation("m2", b))) for k, (a, b) in enumerate(times))
    free = clock = 0
    for a, b in (times[k] for k in (1, 3, 2, 4, 0)):
        clock += a
        free = max(free, clock) + b
    found = solve(JobShop(("m1", "m2"), jobs))
    assert (found.status, found.objective) == ("optimal", free) == ("optimal", 30)


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.integers(0, 15), st.integers(0, 20), st.integers(0, 5)), min_size=1, max_size=6
    )
)
def test_single_machine_weighted_tardiness_equals_brute_force(jobs: list[tuple[int, int, int, int]]) -> None:
    shop = single(*((p, r, r + slack, w) for p, r, slack, w in jobs))
    best = min((tardiness(shop, plan), plan.makespan) for plan in every_plan(shop))
    found = solve(shop, LATENESS, start=dispatch(shop, "ATC"))
    assert (found.status, found.values, found.bound) == ("optimal", best, best[0])


@settings(max_examples=20, deadline=None)
@given(shops(most_jobs=3, most_operations=2) | flexible_shops(), st.booleans())
def test_small_job_shops_equal_brute_force(shop: JobShop, late: bool) -> None:
    best = min(tardiness(shop, plan) if late else plan.makespan for plan in every_plan(shop))
    found = solve(shop, Goal.of("weighted_tardiness" if late else "makespan"))
    assert found.plan is not None
    assert semi_active(shop, found.plan) == found.plan
    assert (found.status, found.objective, found.bound) == ("optimal", best, best)


@settings(max_examples=60, deadline=None)
@given(
    rich_shops(most_jobs=2, most_operations=2, latest=12, firm=True),
    st.lists(st.sampled_from(TERMS), min_size=1, max_size=3, unique=True),
    st.booleans(),
)
def test_every_goal_of_small_rich_shops_equals_brute_force(shop: JobShop, terms: Sequence[Term], summed: bool) -> None:
    earlier = Plan.of(
        Assignment(job.name, number, operation.machine, 5 + 3 * number, 8 + 3 * number)
        for job in shop.jobs
        for number, operation in enumerate(job.operations)
    )
    levels = [{term: k + 1 for k, term in enumerate(terms)}] if summed else terms
    goal = Goal.of(*levels, reference=earlier)  # type: ignore[misc]
    plans = list(every_timed_plan(shop))
    found = solve(shop, goal)
    if not plans:
        assert (found.status, found.plan, found.values) == ("infeasible", None, None)
        return
    best = min(goal.values(shop, plan) for plan in plans)
    assert (found.status, found.values, found.bound) == ("optimal", best, best[0])
    assert solve(shop, goal, start=plans[len(plans) // 2]).values == best


@settings(max_examples=30, deadline=None)
@given(rich_shops(most_jobs=5, most_operations=4, latest=40), st.sampled_from(TERMS[:-1]))
def test_plans_of_rich_shops_are_valid_and_bounds_honest(shop: JobShop, term: Term) -> None:
    found = solve(shop, Goal.of(term), deterministic=0.1)
    if found.plan is not None:
        assert found.objective is not None
        assert lower_bound(shop, term) <= found.bound <= found.objective
        assert (found.status == "optimal") == (found.bound == found.objective)


def test_the_rich_shop_reaches_what_can_be_shown_by_hand() -> None:
    # Two bars come at 3, the third at 9: whichever of shaft and cover goes second waits for it.
    found = solve(rich_shop(), Goal.of("makespan"))
    assert (found.status, found.values) == ("optimal", (24,))
    # The mill needs 2000 W, the lathe none: all work that can avoid the mill does, and saws stay at 7 × 500.
    cheap = solve(rich_shop(), Goal.of("energy", "setup", "makespan"))
    assert (cheap.status, cheap.values) == ("optimal", (3500, 2, 27))
    # An earlier valid plan is the most stable one.
    same = solve(rich_shop(), Goal.of("stability", reference=rich_plan()))
    assert (same.status, same.values) == ("optimal", (0,))


def test_frozen_operations_keep_machine_and_times_even_longer_ones() -> None:
    frozen = (Assignment("shaft", 0, "saw", 3, 9), Assignment("shaft", 1, "lathe", 12, 20))
    shop = dataclasses.replace(rich_shop(), frozen=frozen)
    found = solve(shop)
    assert found.plan is not None
    assert set(frozen) <= set(found.plan)


def test_a_start_plan_that_is_no_longer_valid_only_guides() -> None:
    shop = dataclasses.replace(rich_shop(), frozen=(Assignment("shaft", 0, "saw", 5, 9),))
    found = solve(shop, Goal.of("stability", reference=rich_plan()), start=rich_plan())
    # The shaft moved by 2 at the saw, and with it everything behind that had no slack.
    assert found.status == "optimal"
    assert found.objective is not None
    assert found.objective >= 2


def test_a_start_plan_is_never_made_worse(tmp_path: Path) -> None:
    shop = instance(FT10, tmp_path)
    start = dispatch(shop, "SPT")
    assert start is not None
    found = solve(shop, start=start, deterministic=1e-6)
    assert (found.status, found.plan) == ("feasible", start)


def test_levels_are_kept_in_their_order() -> None:
    # On time costs a set-up less work: the second level decides only among plans that are on time.
    shop = JobShop(
        ("fast", "slow"),
        (Job("a", (Operation("fast", 2, (Alternative("slow", 6),)),), due=4),),
        power={"fast": 9, "slow": 1},
    )
    assert solve(shop, Goal.of("tardiness", "energy")).values == (0, 18)
    assert solve(shop, Goal.of("energy", "tardiness")).values == (6, 2)
    assert solve(shop, Goal.of({"energy": 1, "tardiness": 5})).values == (16,)


def test_the_same_seed_gives_the_same_answer_and_trace(tmp_path: Path) -> None:
    shop = instance(FT10, tmp_path)
    late = JobShop(
        shop.machines,
        tuple(Job(j.name, j.operations, due=2 * j.work, weight=1 + k % 3) for k, j in enumerate(shop.jobs)),
    )
    start = dispatch(late, "ATC")
    for goal, limit in ((MAKESPAN, Limit(deterministic=0.1)), (LATENESS, Limit(iterations=300))):
        first, second = (solve_cpsat(late, Question(goal, limit, seed=5, start=start)) for _ in range(2))
        assert first == second
        assert len(first.trace) > 1
    shared = [solve_cpsat(late, Question(MAKESPAN, Limit(deterministic=0.1), seed=5, workers=2)) for _ in range(2)]
    assert shared[0].plan == shared[1].plan


def test_the_trace_improves_and_is_heard(tmp_path: Path) -> None:
    shop, heard = instance(FT10, tmp_path), list[Incumbent]()
    start = dispatch(shop, "SPT")
    assert start is not None
    limit = Limit(deterministic=0.05)
    found = solve_cpsat(shop, Question(MAKESPAN, limit, start=start), tell=heard.append)
    assert tuple(heard) == found.trace
    objectives = [incumbent.objective for incumbent in heard]
    assert objectives == sorted(set(objectives), reverse=True)
    assert objectives[0] == start.makespan
    assert found.objective is not None
    assert found.objective <= objectives[-1]


def test_impossible_firm_due_dates_are_a_status() -> None:
    found = solve(single((5, 0, 6, 1), (5, 0, 6, 1), firm=True))
    assert (found.status, found.plan, found.values, found.objective, found.gap) == ("infeasible", *[None] * 4)


def test_running_out_of_time_without_a_plan_is_a_status(tmp_path: Path) -> None:
    found = solve(instance(FT10, tmp_path), LATENESS, deterministic=1e-9)
    assert (found.status, found.gap) == ("no plan", None)
    assert "none found in 1e-09 deterministic seconds" in found.reason


def test_a_sum_that_would_overflow_is_refused() -> None:
    huge = single((2**30, 0, 5, 2**20))
    assert solve(huge, Goal.of("weighted_tardiness")).objective == 2**20 * (2**30 - 5)
    with pytest.raises(InputError, match="weighted_tardiness could reach .* use smaller weights"):
        solve(huge, Goal.of({"weighted_tardiness": 2**20}))
