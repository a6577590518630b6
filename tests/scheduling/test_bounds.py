import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.shops import every_plan, every_timed_plan, flexible_shops, rich_shop, rich_shops, shops
from twinloop.contracts import Assignment
from twinloop.scheduling.bounds import horizon, latest_ends, lower_bound, spans
from twinloop.scheduling.objectives import TERMS, Goal, Term
from twinloop.scheduling.problem import Alternative, Changeover, Job, JobShop, Operation, Pool, Window


@settings(max_examples=30, deadline=None)
@given(shops(most_jobs=3, most_operations=2) | flexible_shops(), st.sampled_from(TERMS[:-1]))
def test_no_plan_beats_the_lower_bound(shop: JobShop, term: Term) -> None:
    goal = Goal.of(term)
    bound = lower_bound(shop, goal)
    assert all(bound <= goal.values(shop, plan)[0] for plan in every_plan(shop))


@settings(max_examples=50, deadline=None)
@given(rich_shops(most_jobs=2, most_operations=2, latest=12, firm=True), st.sampled_from(TERMS[:-1]))
def test_spans_and_bounds_hold_for_every_plan_of_a_rich_shop(shop: JobShop, term: Term) -> None:
    goal = Goal.of(term)
    found, bound = spans(shop, latest_ends(shop, latest=12)), lower_bound(shop, goal)
    for plan in every_timed_plan(shop):
        assert bound <= goal.values(shop, plan)[0]
        for a in plan:
            mode = next(mode for mode in found[a.job, a.operation] if mode.machine == a.machine)
            assert any(s.first <= a.start <= s.last and s.elapsed == a.end - a.start for s in mode.stretches)


def test_closed_windows_count_in_the_machine_bound() -> None:
    jobs = tuple(Job(name, (Operation("mill", 4),)) for name in "abc")
    shop = JobShop(("mill",), jobs, stops={"mill": (Window(5, 10), Window(12, 14))})
    # 12 of work from 0, with 7 closed before it can be done.
    assert lower_bound(shop, "makespan") == 19


def test_alternatives_share_their_load() -> None:
    either = Operation("m0", 5, (Alternative("m1", 5),))
    shop = JobShop(("m0", "m1", "m2"), tuple(Job(str(k), (either,)) for k in range(5)))
    assert lower_bound(shop, "makespan") == 13  # 25 on two machines


def test_the_rich_shop_is_bounded_on_every_level_by_hand() -> None:
    assert lower_bound(rich_shop(), "makespan") == 21
    assert lower_bound(rich_shop(), Goal.of({"energy": 1, "makespan": 2})) == 3500 + 42


def test_kept_and_frozen_operations_stay_and_move_the_others() -> None:
    kept = {("shaft", 0): Assignment("shaft", 0, "saw", 5, 9)}
    found = spans(rich_shop(), latest_ends(rich_shop(), latest=40), kept=kept, only={"shaft"})
    assert set(found) == {("shaft", 0), ("shaft", 1)}
    assert [(m.machine, m.first, m.last, m.first_end) for m in found["shaft", 0]] == [("saw", 5, 5, 9)]
    assert [(m.machine, m.first) for m in found["shaft", 1]] == [("mill", 10), ("lathe", 11)]


def test_starts_leave_room_for_all_that_comes_after() -> None:
    """a takes 3, 2 to carry and 4; b (5) comes after it, c (6) after b: a day of 30 leaves exactly this."""
    jobs = (
        Job("a", (Operation("mill", 3), Operation("press", 4)), release=1),
        Job("b", (Operation("mill", 5),), after=("a",)),
        Job("c", (Operation("press", 6),), after=("b",)),
    )
    shop = JobShop(("mill", "press"), jobs, transport={("mill", "press"): 2})

    def places(shop: JobShop) -> dict[tuple[str, int], tuple[int, int]]:
        found = spans(shop, latest_ends(shop, latest=30), only={"a", "b", "c"})
        return {key: (mode.first, mode.last) for key, (mode,) in found.items()}

    assert places(shop) == {("a", 0): (1, 10), ("a", 1): (6, 15), ("b", 0): (10, 19), ("c", 0): (15, 24)}
    shop = dataclasses.replace(shop, frozen=(Assignment("c", 0, "press", 20, 26),))
    assert places(shop) == {("a", 0): (1, 6), ("a", 1): (6, 11), ("b", 0): (10, 15), ("c", 0): (20, 20)}
    before = spans(shop, latest_ends(shop, latest=30), only={"a", "b"})
    assert [before[key][0].last for key in (("a", 0), ("a", 1), ("b", 0))] == [6, 11, 15]


@pytest.mark.parametrize(("term", "expected"), [("makespan", 6), ("earliness", 106)])
def test_a_goal_that_gains_by_ending_late_looks_further_ahead(term: Term, expected: int) -> None:
    shop = JobShop(("mill",), (Job("a", (Operation("mill", 6),), due=100),))
    assert horizon(shop, Goal.of(term)) == expected


def test_the_least_set_ups_belong_to_a_machines_work() -> None:
    times = {("a", "b"): 2, ("b", "a"): 3, ("b", "c"): 1, ("a", "c"): 5, ("c", "a"): 1, ("c", "b"): 1}
    jobs = tuple(Job(str(k), (Operation("mill", 4, family=family),)) for k, family in enumerate("abbc"))
    shop = JobShop(("mill",), jobs, setups={"mill": times})
    # b, b, c, a: 1 + 1 of set-up.
    assert lower_bound(shop, "makespan") == 18 == shop.solve("makespan", iterations=1000).objective
    assert lower_bound(shop, "setup") == 2
    started = dataclasses.replace(shop, changeovers={"mill": Changeover(initial="a")})
    # From a: b for 2, c for 1; on the clock nothing is said of the first operation's.
    assert lower_bound(started, "setup") == 3
    closed = {"mill": (Window(6, 9),)}
    attended, unattended = (
        dataclasses.replace(shop, stops=closed, changeovers={"mill": Changeover(unattended=alone)})
        for alone in (False, True)
    )
    assert [lower_bound(one, "makespan") for one in (attended, unattended)] == [21, 19]


def test_people_are_a_bound_where_machines_are_not() -> None:
    jobs = tuple(Job(str(k), (Operation(f"m{k}", 4, pools={"crew": need}),)) for k, need in enumerate((1, 2, 2)))
    shop = JobShop(("m0", "m1", "m2"), jobs, pools=(Pool("crew", 3, stops=(Window(2, 5),)),))
    # None fits before 5, and those that need 2 of 3 go one after the other.
    assert lower_bound(shop, "makespan") == 13
    jobs = tuple(Job(str(k), (Operation(f"m{k}", 4, pools={"crew": 1}),)) for k in range(5))
    shop = JobShop(tuple(f"m{k}" for k in range(5)), jobs, pools=(Pool("crew", 2),))
    assert lower_bound(shop, "makespan") == 10
