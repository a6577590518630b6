"""Set-up crews and pools whose shifts differ, executed: as planned on a calm day, within their hours on any other."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.scheduling.calendars import Minutes, planned_shops
from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError, RunError
from twinloop.scheduling.checker import check
from twinloop.scheduling.execution.disruptions import CALM, Disruptions, Rework
from twinloop.scheduling.execution.execution import Realised, execute
from twinloop.scheduling.problem import Calendar, Changeover, Job, JobShop, Operation, Pool, Shift
from twinloop.scheduling.problem.hours import Hours, machine_hours
from twinloop.scheduling.rescheduling.events import Event, RushJob
from twinloop.scheduling.rescheduling.rolling import roll
from twinloop.scheduling.solvers.rules import dispatch

GONE = ("no such opening any more", "fit no opening", "of open time are left")
ROUGH = Disruptions({"m0": (9.0, 4.0), "m1": (14.0, 6.0)}, duration_cv=0.4, rework={"m0": Rework(0.3)})


@st.composite
def planned(draw: st.DrawFn, rule: str = "FIFO") -> tuple[JobShop, Plan]:
    """A shop of crews and shifts, and a plan by a rule."""
    fields = draw(planned_shops())
    try:
        shop = JobShop(**fields)  # type: ignore[arg-type]
    except InputError:
        assume(False)
        raise
    plan = dispatch(shop, rule)
    assume(plan is not None)
    assert plan is not None
    return shop, plan


@contextmanager
def closed_for_good() -> Iterator[None]:
    """Late work may find no opening any more, which is said: such a day is left out."""
    try:
        yield
    except (InputError, RunError) as error:
        assert any(words in str(error) for words in GONE)  # noqa: PT017
        assume(False)


def keeps_hours(shop: JobShop, done: Iterable[Realised]) -> None:
    """Assert that nothing begins, ends or is set up in closed time, and nobody is in two places, counted by units."""
    done = list(done)
    minutes = Minutes(shop, math.ceil(max(r.end for r in done)) + 2)
    operation = {r: shop.by_name[r.planned.job].operations[r.planned.operation] for r in done}
    held: dict[str, list[tuple[float, float, int]]] = {pool.name: [] for pool in shop.pools}
    for r in done:
        machine, own = r.planned.machine, operation[r]
        assert minutes.runs(own, machine, math.floor(r.start)), r
        assert minutes.runs(own, machine, math.ceil(r.end) - 1), r
        for pool, units in own.pools.items():
            edges = [r.start, *(edge for gap in r.away for edge in gap), r.end]
            held[pool] += [(a, b, units) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    for machine in shop.machines:
        row = sorted((r for r in done if r.planned.machine == machine), key=lambda r: r.start)
        how, family, free = shop.changeovers.get(machine, Changeover()), None, 0.0
        family = how.initial
        for r in row:
            needed = shop.setup(machine, family, operation[r].family)
            assert r.start >= free + needed - 1e-9
            if needed and how.crew:
                assert r.set_up is not None
                begin, end = r.set_up
                assert free - 1e-9 <= begin
                assert end == pytest.approx(begin + needed)
                assert end - 1e-9 <= r.start
                held[how.crew].append((begin, r.start, 1))
                for unit in range(math.floor(begin + 1e-9), math.ceil(end - 1e-9)):
                    assert minutes.pools[how.crew][unit] >= 1, r
                    assert how.unattended or minutes.machines[machine][unit], r
            family, free = operation[r].family or family, r.end
    for pool, parts in held.items():
        edges = sorted({edge for a, b, _ in parts for edge in (a, b)} | set(range(minutes.last)))
        for a, b in pairwise(edges):
            if b - a < 1e-6:
                continue
            middle = (a + b) / 2
            there = minutes.pools[pool][math.floor(middle)]
            # Who needs more than are there pauses, and holds none.
            units = sum(n for start, end, n in parts if start < middle < end and n <= there)
            assert units <= there, (pool, middle)


@hypothesis_settings(max_examples=60, deadline=None)
@given(planned())
def test_a_calm_day_is_the_plan(made: tuple[JobShop, Plan]) -> None:
    shop, plan = made
    done = execute(shop, plan, CALM, seed=1, replication=0)
    as_done = Plan.of(replace(r.planned, start=int(r.start), end=int(r.end)) for r in done)
    check(shop, as_done)
    assert all(r.start <= r.planned.start and r.end <= r.planned.end for r in done)
    assert execute(shop, as_done, CALM, seed=1, replication=0) == tuple(
        replace(r, planned=replace(r.planned, start=int(r.start), end=int(r.end))) for r in done
    )
    keeps_hours(shop, done)


@hypothesis_settings(max_examples=60, deadline=None)
@given(planned(), st.integers(0, 3))
def test_on_a_rough_day_nobody_works_in_closed_time_or_in_two_places(
    made: tuple[JobShop, Plan], replication: int
) -> None:
    shop, plan = made
    with closed_for_good():
        done = execute(shop, plan, ROUGH, seed=2, replication=replication)
    assert {r.planned for r in done} == set(plan)
    keeps_hours(shop, done)


@pytest.mark.parametrize("method", ["right-shift", "repair"])
@hypothesis_settings(max_examples=15, deadline=None)
@given(made=planned(), replication=st.integers(0, 3), rush=st.integers(0, 12))
def test_a_rolling_day_keeps_hours_too(method: str, made: tuple[JobShop, Plan], replication: int, rush: int) -> None:
    shop, plan = made
    machine = shop.machines[0]
    events: list[Event] = [RushJob(rush, Job("rush", (Operation(machine, 1, resumable=True),)))]
    hours = [*(machine_hours(shop, name) for name in shop.machines), *(Hours.of_pool(pool) for pool in shop.pools)]
    assume(all(one.ends is None for one in hours))
    with closed_for_good():
        rolled = roll(shop, plan, ROUGH, events, method=method, seed=2, replication=replication)  # type: ignore[arg-type]
    assert {(r.planned.job, r.planned.operation) for r in rolled.realised} >= {(a.job, a.operation) for a in plan}
    # The shop in the end counts all that is past as closed.
    keeps_hours(replace(shop, jobs=rolled.shop.jobs), rolled.realised)


def row(*steps: tuple[str, str, int, int]) -> Plan:
    return Plan.of(Assignment(name.split("_")[0], int(name.split("_")[1]), *rest) for name, *rest in steps)


def realised(shop: JobShop, plan: Plan, disruptions: Disruptions = CALM) -> dict[str, Realised]:
    check(shop, plan)
    return {r.planned.job: r for r in execute(shop, plan, disruptions, seed=1, replication=0)}


CREWED = JobShop(
    ("saw", "mill", "lathe"),
    (
        Job("a", (Operation("saw", 5), Operation("mill", 10, family="new"))),
        Job("b", (Operation("lathe", 4, family="new"),)),
    ),
    setups={"mill": {("old", "new"): 5}, "lathe": {("old", "new"): 3}},
    pools=(Pool("setter"),),
    changeovers={"mill": Changeover("old", "setter"), "lathe": Changeover("old", "setter")},
)
IN_TURN = row(("a_0", "saw", 0, 5), ("a_1", "mill", 5, 15), ("b_0", "lathe", 8, 12))


def test_one_crew_sets_up_machine_after_machine() -> None:
    done = execute(CREWED, IN_TURN, CALM, seed=1, replication=0)
    assert {r.planned.machine: (r.set_up, r.start) for r in done} == {
        "saw": (None, 0.0),
        "mill": ((0.0, 5.0), 5.0),
        "lathe": ((5.0, 8.0), 8.0),
    }


def test_a_crew_that_waits_for_its_job_leaves_for_the_next_machine_and_sets_up_once_more() -> None:
    late = Disruptions({}, rework={"saw": Rework(1.0, 3.0)})  # known when it has happened: the saw ends at 8
    done = execute(CREWED, IN_TURN, late, seed=1, replication=0)
    by_machine = {r.planned.machine: r for r in done}
    assert by_machine["lathe"].set_up == (5.0, 8.0)
    assert by_machine["mill"].set_up == (8.0, 13.0)
    assert by_machine["mill"].start == 13


def test_a_crew_stays_with_its_machine_where_nobody_else_needs_it() -> None:
    late = Disruptions({}, rework={"saw": Rework(1.0, 3.0)})
    alone = replace(CREWED, jobs=CREWED.jobs[:1])
    plan = row(("a_0", "saw", 0, 5), ("a_1", "mill", 5, 15))
    done = {r.planned.machine: r for r in execute(alone, plan, late, seed=1, replication=0)}
    assert (done["mill"].set_up, done["mill"].start) == ((0.0, 5.0), 8.0)


# Two by day (0 … 480), one by night.
DAY_AND_NIGHT = Calendar("2026-03-23T06:00", (Shift("06:00", "14:00", (), 2), Shift("14:00", "06:00", (), 1)))


def test_two_who_overrun_into_a_night_of_one_take_turns() -> None:
    jobs = (
        Job("a", (Operation("saw", 470, pools={"people": 1}),)),
        Job("b", (Operation("mill", 475, pools={"people": 1}),)),
    )
    shop = JobShop(("saw", "mill"), jobs, pools=(Pool("people", 2, calendar=DAY_AND_NIGHT),))
    plan = row(("a_0", "saw", 0, 470), ("b_0", "mill", 0, 475))
    assert {name: (r.start, r.end) for name, r in realised(shop, plan).items()} == {"a": (0, 470), "b": (0, 475)}
    longer = Disruptions({}, rework={"saw": Rework(1.0, 30.0), "mill": Rework(1.0, 45.0)})
    done = realised(shop, plan, longer)
    # At 480 one goes on, with 20 or 40 left, the other waits for him.
    ends = sorted(r.end for r in done.values())
    assert ends in ([500, 540], [520, 540])
    assert sorted(r.away for r in done.values())[0] == ()
    assert sum(b - a for r in done.values() for a, b in r.away) == ends[0] - 480


def test_work_for_two_pauses_in_a_night_of_one_who_works_elsewhere() -> None:
    jobs = (
        Job("pair", (Operation("saw", 500, pools={"people": 2}, resumable=True),)),
        Job("single", (Operation("mill", 60, pools={"people": 1}),), release=480),
    )
    shop = JobShop(("saw", "mill"), jobs, pools=(Pool("people", 2, calendar=DAY_AND_NIGHT),))
    plan = row(("pair_0", "saw", 0, 1460), ("single_0", "mill", 480, 540))
    done = realised(shop, plan)
    assert {name: (r.start, r.end) for name, r in done.items()} == {"pair": (0, 1460), "single": (480, 540)}
    assert done["pair"].away == ((480, 1440),)
