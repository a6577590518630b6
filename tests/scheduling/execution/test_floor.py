"""The floor on shops with everything: as soon as sequences and limits allow, and never behind a calm day's plan."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.scheduling.shops import rich_plan, rich_shop, rich_shops
from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError, RunError
from twinloop.replication.streams import Streams
from twinloop.scheduling.checker import check
from twinloop.scheduling.execution.disruptions import Luck
from twinloop.scheduling.execution.execution import CALM, Disruptions, LateDeliveries, Rework, execute
from twinloop.scheduling.execution.floor import Floor
from twinloop.scheduling.problem import Job, JobShop, Material, Operation, Pool, Window
from twinloop.scheduling.rescheduling.events import Breakdown, prolonged
from twinloop.scheduling.solvers.rules import dispatch

ROUGH = Disruptions(
    {"m0": (10.0, 5.0), "m1": (20.0, 8.0)},
    duration_cv=0.4,
    rework={"m0": Rework(0.3), "m1": Rework(0.2, 4.0)},
    deliveries={"bar": LateDeliveries(0.5, 10.0)},
)


def planned(shop: JobShop) -> Plan:
    plan = dispatch(shop, "FIFO")
    assume(plan is not None)
    assert plan is not None
    check(shop, plan)
    return plan


def realised(shop: JobShop, plan: Plan, disruptions: Disruptions = CALM, *, replication: int = 0) -> dict[str, tuple]:  # type: ignore[type-arg]
    done = execute(shop, plan, disruptions, seed=1, replication=replication)
    return {f"{r.planned.job}_{r.planned.operation}": (r.start, r.end) for r in done}


def row(*steps: tuple[str, str, int, int]) -> Plan:
    return Plan.of(Assignment(name.split("_")[0], int(name.split("_")[1]), *rest) for name, *rest in steps)


@hypothesis_settings(max_examples=60, deadline=None)
@given(rich_shops())
def test_a_calm_floor_keeps_all_limits_and_is_never_behind_its_plan(shop: JobShop) -> None:
    plan = planned(shop)
    done = execute(shop, plan, CALM, seed=1, replication=0)
    assert all(r.start <= r.planned.start and r.end <= r.planned.end for r in done)
    check(shop, Plan.of(replace(r.planned, start=int(r.start), end=int(r.end)) for r in done))


@hypothesis_settings(max_examples=40, deadline=None)
@given(rich_shops(), st.integers(0, 5))
def test_a_rough_floor_finishes_everything_and_keeps_what_nobody_may_break(shop: JobShop, replication: int) -> None:
    plan = planned(shop)
    done = execute(shop, plan, ROUGH, seed=2, replication=replication)
    assert len(done) == len(plan)
    at = {(r.planned.job, r.planned.operation): r for r in done}
    moments = {(job.name, k) for job in shop.jobs for k, o in enumerate(job.operations) if o.milestone}
    for machine in shop.machines:
        mine = [r for r in done if r.planned.machine == machine and (r.planned.job, r.planned.operation) not in moments]
        wanted = [a for a in plan if a.machine == machine and (a.job, a.operation) not in moments]
        assert [r.planned for r in mine] == wanted
        for a, b in itertools.pairwise(mine):
            families = [shop.by_name[r.planned.job].operations[r.planned.operation].family for r in (a, b)]
            assert b.start >= a.end + shop.setup(machine, *families) - 1e-9
    for r in done:
        job, number = shop.by_name[r.planned.job], r.planned.operation
        assert r.start >= job.release
        windows = () if (job.name, number) in moments else shop.stops.get(r.planned.machine, ())
        assert not any(w.start <= r.start < w.end for w in windows)
        if number:
            before = at[job.name, number - 1]
            move = shop.transport.get((before.planned.machine, r.planned.machine), 0)
            assert r.start >= before.end + move - 1e-9
    for pool in shop.pools:
        users = [r for r in done if pool.name in shop.by_name[r.planned.job].operations[r.planned.operation].pools]
        for r in users:
            together = [q for q in users if q.start <= r.start < q.end]
            needs = [shop.by_name[q.planned.job].operations[q.planned.operation].pools[pool.name] for q in together]
            assert sum(needs) <= pool.capacity


def test_the_plan_found_by_hand_is_executed_as_planned() -> None:
    assert realised(rich_shop(), rich_plan()) == {f"{a.job}_{a.operation}": (a.start, a.end) for a in rich_plan()}


def test_a_pausing_operation_meets_window_and_repair_once_each() -> None:
    shop = JobShop(("mill",), (Job("a", (Operation("mill", 10, resumable=True),)),), stops={"mill": (Window(4, 6),)})
    plan = row(("a_0", "mill", 0, 12))
    disruptions = Disruptions({"mill": (6.0, 4.0)})
    for replication in range(20):
        start, end = realised(shop, plan, disruptions, replication=replication)["a_0"]
        downs = itertools.islice(Luck(disruptions, Streams(1, replication)).breakdowns("mill"), 50)
        stopped = [(4.0, 6.0), *downs]
        # All minutes in which the machine neither is down nor closed are work.
        idle, at = 0.0, start
        for a, b in sorted(stopped):
            if b > at and a < end:
                idle += b - max(a, at)
                at = b
        assert end - start - idle == pytest.approx(10)


def test_what_cannot_pause_starts_only_where_its_planned_time_fits_and_overruns_if_it_must() -> None:
    shop = JobShop(
        ("mill",),
        (Job("a", (Operation("mill", 5),)), Job("b", (Operation("mill", 4),))),
        stops={"mill": (Window(9, 20),)},
    )
    plan = row(("a_0", "mill", 0, 5), ("b_0", "mill", 5, 9))
    twice = Disruptions({}, rework={"mill": Rework(1.0, 3.0)})
    assert realised(shop, plan, twice) == {"a_0": (0, 8.0), "b_0": (20.0, 27.0)}


def test_before_its_time_nobody_takes_what_an_earlier_operation_of_the_plan_needs() -> None:
    jobs = (
        Job("a", (Operation("saw", 5), Operation("mill", 4, pools={"crew": 1}))),
        Job("b", (Operation("lathe", 6, pools={"crew": 1}),)),
    )
    shop = JobShop(("saw", "mill", "lathe"), jobs, pools=(Pool("crew"),))
    plan = row(("a_0", "saw", 0, 5), ("a_1", "mill", 5, 9), ("b_0", "lathe", 9, 15))
    assert realised(shop, plan)["b_0"] == (9, 15.0)
    # When the saw fails for long, the crew works for the lathe from its planned start on.
    late = Disruptions({}, rework={"saw": Rework(1.0, 50.0)})
    assert realised(shop, plan, late) == {"a_0": (0, 55.0), "b_0": (9.0, 15.0), "a_1": (55.0, 59.0)}


def test_late_material_holds_up_who_needs_it() -> None:
    shop = JobShop(
        ("saw",), (Job("a", (Operation("saw", 5, materials={"bar": 2}),)),), materials=(Material("bar", 1, ((4, 1),)),)
    )
    plan = row(("a_0", "saw", 4, 9))
    assert realised(shop, plan)["a_0"] == (4, 9.0)
    starts = [
        realised(shop, plan, Disruptions({}, deliveries={"bar": LateDeliveries(1.0, 10.0)}), replication=k)["a_0"][0]
        for k in range(10)
    ]
    assert min(starts) > 4
    assert len(set(starts)) == 10


def test_what_must_follow_at_once_holds_back_the_operation_before_it() -> None:
    jobs = (
        Job("long", (Operation("lathe", 20),)),
        Job("cast", (Operation("saw", 3), Operation("lathe", 5, no_wait=True))),
    )
    shop = JobShop(("saw", "lathe"), jobs)
    plan = row(("long_0", "lathe", 0, 20), ("cast_0", "saw", 17, 20), ("cast_1", "lathe", 20, 25))
    late = Disruptions({}, rework={"lathe": Rework(1.0, 6.0)})
    assert realised(shop, plan)["cast_1"] == (20, 25.0)
    # Nobody knows of the rework before it happens, so the cast waits six minutes, not more.
    assert realised(shop, plan, late)["cast_0"] == (17.0, 20.0)
    blocked = replace(shop, stops={"lathe": (Window(20, 40),)})
    assert realised(blocked, plan)["cast_0"] == (37.0, 40.0)
    assert realised(blocked, plan)["cast_1"] == (40.0, 45.0)


def test_a_frozen_operation_keeps_its_start_and_its_longer_time() -> None:
    shop = JobShop(("saw",), (Job("a", (Operation("saw", 5),)), Job("b", (Operation("saw", 2),))))
    frozen = Assignment("a", 0, "saw", 3, 12)
    plan = Plan.of([frozen, Assignment("b", 0, "saw", 12, 14)])
    assert realised(replace(shop, frozen=(frozen,)), plan) == {"a_0": (3, 12.0), "b_0": (12.0, 14.0)}


def test_an_empty_plan_and_missing_material_are_named() -> None:
    shop = rich_shop()
    with pytest.raises(InputError, match="execution: expected a plan with operations, got an empty one"):
        execute(shop, Plan(()), CALM, seed=1, replication=0)
    hungry = replace(shop, materials=(Material("bar", 1, ((3, 1), (9, 4))),))
    object.__setattr__(hungry, "materials", (Material("bar", 1),))  # the shop itself refuses such a supply
    with pytest.raises(RunError, match="execution stands still: .*saw waits for material bar: check the plan first"):
        execute(hungry, rich_plan(), CALM, seed=1, replication=0)


class OneRepair(Luck):
    """Durations as planned; the mill is down once."""

    def __init__(self, fails: float, up: float) -> None:
        super().__init__(CALM, Streams(1, 0))
        self._down = (fails, up)

    def breakdowns(self, machine: str) -> Iterator[tuple[float, float]]:
        return iter([self._down])


@pytest.mark.parametrize("resumable", [False, True])
def test_after_a_repair_nothing_runs_in_closed_time_in_execution_and_repair_alike(resumable: bool) -> None:
    job = Job("a", (Operation("mill", 70, resumable=resumable),), release=400)
    shop = JobShop(("mill",), (job,), closed={"mill": (Window(480, 1440),)}, repeat={"mill": 1440})
    [a] = plan = shop.solve(method="SPT", iterations=1).plan
    assert (a.start, a.end) == (400, 470)
    # 10 done, 90 of repair until 500, when it is closed; the other 60 next morning.
    [done] = Floor(shop, plan, OneRepair(410, 500)).finish()
    assert (done.start, done.end) == (400, 1500)
    [known] = prolonged(shop, [a], Breakdown(410, "mill", 90))
    assert (known.start, known.end) == (400, 1500)
    # A shorter one: 10 done, 20 of repair, 50 until it closes, the last 10 next morning.
    [done] = Floor(shop, plan, OneRepair(410, 430)).finish()
    [known] = prolonged(shop, [a], Breakdown(410, "mill", 20))
    assert done.end == known.end == 1450
