"""Schedule generation: plans found by hand, every rule of the shop, and sequences timed anew."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.shops import rich_plan, rich_shop, rich_shops, shops
from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError
from twinloop.scheduling.checker import check
from twinloop.scheduling.dispatching import RULES
from twinloop.scheduling.problem import Alternative, Job, JobShop, Material, Operation, Pool, Window
from twinloop.scheduling.solution import semi_active
from twinloop.scheduling.solvers.generation import generate, regenerate
from twinloop.scheduling.solvers.rules import dispatch


def times(plan):
    return {f"{a.job}_{a.operation}": (a.machine, a.start, a.end) for a in plan}


def one(*operations, **limits):
    """A shop of one-operation jobs a, b, … on a mill."""
    jobs = tuple(Job(name, (operation,)) for name, operation in zip("abcd", operations, strict=False))
    return JobShop(("mill",), jobs, **limits)


def in_turn(shop, names="abcd", **options):
    """Starts when the jobs are placed in this order."""
    plan = generate(shop, [(name, 0) for name in names if name in shop.by_name], **options)
    check(shop, plan)
    return {a.job: a.start for a in plan}


def test_the_rich_shop_is_planned_as_by_hand():
    # shaft's bars come at 3; cover's at 9, behind a set-up of 2; base goes where it ends first.
    plan = generate(rich_shop(), [("shaft", 0), ("cover", 0), ("shaft", 1)])
    assert plan == rich_plan()
    assert regenerate(rich_shop(), plan) == plan


def test_a_gap_is_used_unless_operations_stay_behind_each_other():
    shop = JobShop(("mill",), (Job("a", (Operation("mill", 5),), release=4), Job("b", (Operation("mill", 3),))))
    assert in_turn(shop) == {"a": 4, "b": 0}
    assert in_turn(shop, insert=False) == {"a": 4, "b": 9}


def test_a_gap_has_to_hold_the_set_ups_on_both_sides():
    jobs = (
        Job("a", (Operation("mill", 5, family="x"),), release=6),
        Job("b", (Operation("mill", 3, family="y"),)),
    )
    tight = JobShop(("mill",), jobs, setups={"mill": {("y", "x"): 3, ("x", "y"): 1}})
    wide = JobShop(("mill",), jobs, setups={"mill": {("y", "x"): 4, ("x", "y"): 1}})
    assert in_turn(tight) == {"a": 6, "b": 0}
    assert in_turn(wide) == {"a": 6, "b": 12}


def test_work_fits_between_closed_windows_or_pauses_in_them():
    closed = {"mill": (Window(2, 5), Window(8, 9))}
    assert in_turn(one(Operation("mill", 4), stops=closed)) == {"a": 9}
    plan = generate(one(Operation("mill", 6, resumable=True), stops=closed), [])
    assert times(plan) == {"a_0": ("mill", 0, 10)}


def test_a_pool_is_held_during_a_pause_and_its_own_windows_count():
    pool = Pool("crew", 1, (Window(6, 7),))
    job_a = Job("a", (Operation("mill", 4, pools={"crew": 1}, resumable=True),))
    job_b = Job("b", (Operation("saw", 2, pools={"crew": 1}),))
    shop = JobShop(("mill", "saw"), (job_a, job_b), stops={"mill": (Window(2, 4),)}, pools=(pool,))
    assert times(generate(shop, [("a", 0), ("b", 0)])) == {"a_0": ("mill", 0, 6), "b_0": ("saw", 7, 9)}


def test_material_promised_to_a_later_operation_is_not_taken_from_it():
    # a waits for its release; b, placed after it, could start at 0 but must leave a's bar there until the delivery.
    bar = Material("bar", 1, ((8, 1),))
    jobs = (
        Job("a", (Operation("mill", 2, materials={"bar": 1}),), release=5),
        Job("b", (Operation("mill", 2, materials={"bar": 1}),)),
    )
    shop = JobShop(("mill",), jobs, materials=(bar,))
    assert in_turn(shop) == {"a": 5, "b": 8}
    assert in_turn(shop, "ba") == {"b": 0, "a": 8}


def chain(second: int, **limits):
    """Job a runs on the mill and at once on the saw, which b keeps until 10."""
    first = (Operation("mill", 3), Operation("saw", second, no_wait=True))
    return JobShop(("mill", "saw"), (Job("b", (Operation("saw", 10),)), Job("a", first)), **limits)


def test_a_chain_that_must_not_wait_moves_right_as_a_whole():
    shop = chain(2, transport={("mill", "saw"): 1})
    plan = generate(shop, [("b", 0)])
    assert times(plan) == {"b_0": ("saw", 0, 10), "a_0": ("mill", 6, 9), "a_1": ("saw", 10, 12)}


def test_a_paused_head_starts_just_early_enough_for_the_rest_of_its_chain():
    shop = chain(2, stops={"mill": (Window(8, 20),)})
    paused = (Operation("mill", 3, resumable=True), Operation("saw", 2, no_wait=True))
    shop = dataclasses.replace(shop, jobs=(shop.jobs[0], Job("a", paused)))
    assert times(generate(shop, [("b", 0)]))["a_0"] == ("mill", 6, 21)


def test_a_chain_takes_the_alternative_with_which_it_holds_together():
    last = Operation("saw", 1, (Alternative("lathe", 9),), no_wait=True)
    shop = JobShop(
        ("mill", "saw", "lathe"),
        (Job("b", (Operation("saw", 50),)), Job("a", (Operation("mill", 3), last))),
    )
    assert times(generate(shop, [("b", 0)])) == {"b_0": ("saw", 0, 50), "a_0": ("mill", 0, 3), "a_1": ("lathe", 3, 12)}


def test_there_is_no_plan_where_no_wait_and_a_set_up_contradict_each_other():
    steps = (Operation("mill", 1, family="x"), Operation("mill", 1, family="y", no_wait=True))
    shop = JobShop(("mill",), (Job("a", steps),), setups={"mill": {("x", "y"): 2}})
    assert generate(shop, []) is None
    assert dispatch(shop, "SPT") is None


def test_what_a_frozen_operation_waits_for_comes_first():
    steps = (Operation("mill", 3), Operation("saw", 2))
    shop = JobShop(("mill", "saw"), (Job("a", (Operation("mill", 4),)), Job("b", steps)))
    frozen = dataclasses.replace(shop, frozen=(Assignment("b", 1, "saw", 3, 8),))
    for plan in (generate(frozen, [("a", 0)]), dispatch(frozen, "LPT")):
        check(frozen, plan)
        assert times(plan)["b_0"] == ("mill", 0, 3)
    assert generate(dataclasses.replace(shop, frozen=(Assignment("b", 1, "saw", 2, 8),)), []) is None


def test_jobs_after_a_wholly_frozen_job_are_placed_too():
    jobs = tuple(
        Job(name, (Operation("mill", 2),), after=after) for name, after in (("a", ()), ("b", ("a",)), ("c", ("b",)))
    )
    shop = JobShop(("mill",), jobs, frozen=(Assignment("b", 0, "mill", 5, 7),))
    assert times(generate(shop, [])) == {"a_0": ("mill", 0, 2), "b_0": ("mill", 5, 7), "c_0": ("mill", 7, 9)}
    assert dispatch(shop, "EDD") == generate(shop, [])


def test_regeneration_moves_a_plan_right_around_a_new_window_and_keeps_its_sequences():
    shop = rich_shop()
    broken_down = dataclasses.replace(shop, stops=dict(shop.stops) | {"saw": (Window(4, 10),)})
    plan = regenerate(broken_down, rich_plan())
    check(broken_down, plan)
    # shaft_0 needs the cutter, away in [12, 13), and cover_1 follows cover_0 at once with the same cutter.
    assert times(plan)["shaft_0"] == ("saw", 13, 17)
    assert [a.job for a in plan if a.machine == "saw"] == ["shaft", "cover"]


def test_chains_that_pass_each_other_are_timed_together():
    # Each second operation lies behind the other job's first: no order of whole jobs gives this plan.
    jobs = tuple(
        Job(name, (Operation(first, 5), Operation(second, 5, no_wait=True)), release=release)
        for name, first, second, release in (("a", "m", "n", 0), ("b", "n", "m", 3))
    )
    shop = JobShop(("m", "n"), jobs)
    late = Plan.of(
        Assignment(*row)
        for row in (("a", 0, "m", 10, 15), ("a", 1, "n", 15, 20), ("b", 0, "n", 9, 14), ("b", 1, "m", 15, 20))
    )
    plan = regenerate(shop, late)
    check(shop, plan)
    assert times(plan) == {"a_0": ("m", 3, 8), "a_1": ("n", 8, 13), "b_0": ("n", 3, 8), "b_1": ("m", 8, 13)}


@settings(deadline=None, max_examples=150)
@given(shop=rich_shops(), data=st.data())
def test_any_order_and_machines_give_a_valid_plan_that_regeneration_never_makes_later(shop, data):
    operations = [(job.name, k) for job in shop.jobs for k in range(len(job.operations))]
    machines = {
        (job.name, k): data.draw(st.sampled_from([mode.machine for mode in step.modes]))
        for job in shop.jobs
        for k, step in enumerate(job.operations)
        if data.draw(st.booleans())
    }
    options = {"machines": machines, "insert": data.draw(st.booleans())}
    plan = generate(shop, data.draw(st.permutations(operations)), **options)
    if plan is None:
        assert any(step.no_wait for job in shop.jobs for step in job.operations)
        return
    check(shop, plan)
    before = {(a.job, a.operation): a for a in plan}
    assert all(before[key].machine == machine for key, machine in machines.items())
    again = regenerate(shop, plan)
    check(shop, again)
    for a in again:
        earlier = before[a.job, a.operation]
        assert a.machine == earlier.machine
        assert a.start <= earlier.start
    assert regenerate(shop, again) == again


@settings(deadline=None, max_examples=150)
@given(shop=rich_shops(), rule=st.sampled_from(tuple(RULES)), delay=st.floats(0, 1), data=st.data())
def test_frozen_operations_stay_and_all_others_find_a_place_around_them(shop, rule, delay, data):
    plan = dispatch(shop, rule, delay=delay)
    if plan is None:
        return
    frozen = tuple(data.draw(st.lists(st.sampled_from(plan.assignments), unique=True, max_size=3)))
    fixed = dataclasses.replace(shop, frozen=frozen)
    again = regenerate(fixed, plan)
    check(fixed, again)
    # Jobs that have begun: what is frozen has only frozen operations before it.
    begun = tuple(a for a in plan if any(b.job == a.job and b.operation >= a.operation for b in frozen))
    if any(job.after for job in shop.jobs) or any(step.no_wait for job in shop.jobs for step in job.operations):
        return
    fixed = dataclasses.replace(shop, frozen=begun)
    for found in (dispatch(fixed, rule, delay=delay), generate(fixed, [])):
        check(fixed, found)


@settings(deadline=None)
@given(shop=shops(), rule=st.sampled_from(tuple(RULES)))
def test_in_a_plain_shop_regeneration_is_the_semi_active_plan(shop, rule):
    late = Plan.of(
        dataclasses.replace(a, start=3 * a.start + 100, end=3 * a.start + 100 + a.end - a.start)
        for a in dispatch(shop, rule)
    )
    assert regenerate(shop, late) == semi_active(shop, late)


REFUSED = {
    "unknown operation": (lambda: generate(rich_shop(), [("shaft", 7)]), "job shaft operation 7 is not in the shop"),
    "unknown job": (lambda: generate(rich_shop(), [], machines={("x", 0): "saw"}), "job x operation 0 is not in"),
    "machine": (
        lambda: generate(rich_shop(), [], machines={("shaft", 1): "saw"}),
        "job shaft operation 1: cannot be on 'saw', expected mill or lathe",
    ),
    "plan machine": (
        lambda: regenerate(rich_shop(), rich_plan(shaft_1=("saw", 20, 26))),
        "job shaft operation 1 is on saw, expected mill or lathe",
    ),
    "missing": (
        lambda: regenerate(rich_shop(), Plan(rich_plan().assignments[1:])),
        "expected every operation of the shop once: job shaft operation 0 is missing",
    ),
    "twice": (
        lambda: regenerate(rich_shop(), Plan((*rich_plan().assignments, rich_plan().assignments[0]))),
        "an operation is there twice",
    ),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_belong_to_the_shop_is_refused_in_one_line(call, message):
    with pytest.raises(InputError, match=message):
        call()
