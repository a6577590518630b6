import dataclasses
from collections.abc import Iterator

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.scheduling.shops import rich_plan, rich_shop, rich_shops, shops
from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.checker import check, violations
from twinloop.scheduling.critical import CriticalPath, critical_path
from twinloop.scheduling.dispatching import RULES
from twinloop.scheduling.problem import Job, JobShop, Material, Operation, Pool, Window
from twinloop.scheduling.solution import semi_active
from twinloop.scheduling.solvers.rules import dispatch


def told(path: CriticalPath) -> list[tuple[str, int, str, str]]:
    return [(s.placed.job, s.placed.operation, s.reason, s.cause) for s in path.steps]


def explained(path: CriticalPath) -> float:
    """The end that the steps add up to, each starting where the one before ends."""
    time = 0.0
    for step in path.steps:
        start = time + step.lag + step.closed + step.idle - step.ahead
        assert start == step.placed.start
        time = step.placed.end
    return time


def joined(shop: JobShop, plan: Plan) -> Plan:
    """Every operation, or row of operations without waiting between, moved left by hand as long as one can be."""
    moved = True
    while moved:
        moved = False
        for block in list(blocks(shop, plan)):
            for start in range(block[0].start):
                better = shifted(shop, plan, block, start)
                if better is not None:
                    plan, moved = better, True
                    break
    return plan


def blocks(shop: JobShop, plan: Plan) -> Iterator[list[Assignment]]:
    for job in shop.jobs:
        row = sorted((a for a in plan if a.job == job.name), key=lambda a: a.operation)
        block: list[Assignment] = []
        for a in row:
            if block and not job.operations[a.operation].no_wait:
                yield block
                block = []
            block.append(a)
        yield block


def shifted(shop: JobShop, plan: Plan, block: list[Assignment], start: int) -> Plan | None:
    """The block from `start` on, the rest as it is, in the same order on every machine; None where that cannot be."""
    others = [a for a in plan if a not in block]
    found: list[Assignment] = []
    for a in block:
        if found:
            start = found[-1].end + shop.transport.get((found[-1].machine, a.machine), 0)
        if any(b.machine == a.machine and b.start < a.start and b.end > start for b in others):
            return None
        for end in range(start + 1, a.end + 1):
            one = Plan.of([Assignment(a.job, a.operation, a.machine, start, end)])
            if not any(v.rule in ("closed", "wrong duration") for v in violations(shop, one)):
                found.append(next(iter(one)))
                break
        else:
            return None
    better = Plan.of([*others, *found])
    return None if violations(shop, better) else better


def test_the_path_of_a_plan_made_by_hand_names_what_held_every_step():
    path = critical_path(rich_shop(), rich_plan())
    # The bars come at 9, the cutter is closed from 12 to 13 and the lathe is two away: cover waits for its steel.
    assert told(path) == [
        ("cover", 0, "material", "bar"),
        ("cover", 1, "job", "cover"),
        ("base", 0, "machine", "lathe"),
    ]
    assert path.parts == {"material": 9, "work": 13, "transport": 2}
    assert path.carried == {"lathe": 12, "saw": 3}
    assert explained(path) == 24


@pytest.mark.parametrize(
    ("shop", "plan", "expected", "parts"),
    [
        (JobShop(("m",), (Job("a", (Operation("m", 3),)),)), [], [], {}),
        (
            JobShop(("m",), (Job("a", (Operation("m", 3),), release=2),)),
            [("a", 0, "m", 5, 8)],
            [("a", 0, "release", "a")],
            {"release": 2, "idle": 3, "work": 3},
        ),
        (
            JobShop(
                ("m", "n"),
                (
                    Job("a", (Operation("m", 3, pools={"people": 1}),)),
                    Job("b", (Operation("n", 4, pools={"people": 1}),)),
                ),
                pools=(Pool("people"),),
            ),
            [("a", 0, "m", 0, 3), ("b", 0, "n", 3, 7)],
            [("a", 0, "release", "a"), ("b", 0, "pool", "people")],
            {"work": 7},
        ),
        (
            JobShop(
                ("m",),
                (Job("a", (Operation("m", 3),)), Job("b", (Operation("m", 4),))),
                stops={"m": (Window(4, 9),)},
            ),
            [("a", 0, "m", 0, 3), ("b", 0, "m", 9, 13)],
            [("a", 0, "release", "a"), ("b", 0, "machine", "m")],
            {"work": 7, "closed": 6},
        ),
        (
            JobShop(("m",), (Job("a", (Operation("m", 6, resumable=True),)),), stops={"m": (Window(4, 9),)}),
            [("a", 0, "m", 0, 11)],
            [("a", 0, "release", "a")],
            {"work": 6, "closed": 5},
        ),
        (
            JobShop(
                ("m",),
                (Job("a", (Operation("m", 3, family="x"),)), Job("b", (Operation("m", 2, family="y"),))),
                setups={"m": {("x", "y"): 4}},
                frozen=(Assignment("a", 0, "m", 1, 6),),
            ),
            [("a", 0, "m", 1, 6), ("b", 0, "m", 10, 12)],
            [("a", 0, "frozen", "a"), ("b", 0, "machine", "m")],
            {"frozen": 1, "work": 7, "set-up": 4},
        ),
        (  # c waits for the lathe that its second operation needs, and d for c
            JobShop(
                ("m", "n"),
                (
                    Job("c", (Operation("m", 2), Operation("n", 1, no_wait=True))),
                    Job("d", (Operation("m", 5),)),
                    Job("e", (Operation("n", 6),)),
                ),
            ),
            [("e", 0, "n", 0, 6), ("c", 0, "m", 4, 6), ("c", 1, "n", 6, 7), ("d", 0, "m", 6, 11)],
            [("e", 0, "release", "e"), ("c", 0, "machine", "n"), ("d", 0, "machine", "m")],
            {"work": 13, "overlap": -2},
        ),
        (
            JobShop(
                ("m",),
                (
                    Job("a", (Operation("m", 2, materials={"bar": 3}),)),
                    Job("b", (Operation("m", 2, materials={"bar": 2}),)),
                ),
                materials=(Material("bar", 3, ((8, 1), (5, 1))),),
            ),
            [("a", 0, "m", 0, 2), ("b", 0, "m", 8, 10)],
            [("b", 0, "material", "bar")],
            {"material": 8, "work": 2},
        ),
    ],
)
def test_every_kind_of_hold_is_named(shop, plan, expected, parts):
    plan = Plan.of(Assignment(*row) for row in plan)
    path = critical_path(shop, plan)
    assert told(path) == expected
    assert path.parts == parts
    assert explained(path) == plan.makespan


@given(shops(), st.sampled_from(list(RULES)))
@settings(deadline=None)  # the first call compiles
def test_none_on_the_path_of_a_plain_plan_can_take_longer(shop, rule):
    plan = semi_active(shop, dispatch(shop, rule))
    path = critical_path(shop, plan)
    assert explained(path) == plan.makespan == sum(path.parts.values())
    assert "idle" not in path.parts
    for job, number in path.keys:
        operations = list(shop.by_name[job].operations)
        operations[number] = dataclasses.replace(operations[number], duration=operations[number].duration + 1)
        longer = dataclasses.replace(shop.by_name[job], operations=tuple(operations))
        slower = dataclasses.replace(shop, jobs=tuple(longer if j.name == job else j for j in shop.jobs))
        assert semi_active(slower, plan).makespan == plan.makespan + 1


@given(rich_shops(), st.sampled_from(list(RULES)))
@settings(deadline=None, max_examples=60)
def test_where_nothing_can_move_to_the_left_nothing_of_the_makespan_is_left_unexplained(shop, rule):
    # Rows that may not wait, or not for long, and calendars hold each other in ways that no single reason tells.
    assume(
        not any(o.longest_wait is not None for j in shop.jobs for o in j.operations) or not (shop.stops or shop.pools)
    )
    plan = dispatch(shop, rule)
    assume(plan is not None)
    plan = joined(shop, plan)
    check(shop, plan)
    path = critical_path(shop, plan)
    assert explained(path) == plan.makespan == sum(path.parts.values())
    assert path.parts.get("idle", 0) == 0
