"""Machines that take several operations of one family at once."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.checker import check, violations
from twinloop.scheduling.critical import critical_path
from twinloop.scheduling.execution.disruptions import CALM
from twinloop.scheduling.execution.execution import execute
from twinloop.scheduling.frames import load_frame
from twinloop.scheduling.methods import METHODS
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.rescheduling.events import Breakdown
from twinloop.scheduling.rescheduling.replan import replan


def oven(*jobs: tuple[str, int, int], capacity: int = 2, **times: int) -> JobShop:
    """Jobs by family, release and due date; times by family."""
    made = (
        Job(str(k), (Operation("oven", times[family], family=family),), release=release, due=due)
        for k, (family, release, due) in enumerate(jobs)
    )
    return JobShop(("oven",), tuple(made), ovens={"oven": capacity})


def test_two_of_a_family_go_in_together() -> None:
    shop = oven(("x", 0, 9), ("y", 0, 9), ("x", 1, 9), x=4, y=3)
    for method in ("CP-SAT", "auto"):
        solution = shop.solve("makespan", method=method, iterations=2000)
        check(shop, solution.plan)
        # y first: 0 … 3, then both x: 3 … 7.
        assert (solution.status, solution.objective) == ("optimal", 7)
    load = load_frame(shop, solution.plan)
    assert (load["work"].item(), load["idle"].item()) == (7, 0)
    assert [step.placed.end for step in critical_path(shop, solution.plan).steps] == [3, 7]


def charges(shop: JobShop) -> int:
    """The least total tardiness by brute force: every order of every way to form charges."""
    jobs = shop.jobs
    best = None
    for order in itertools.permutations(range(len(jobs))):
        for cuts in itertools.product((False, True), repeat=len(jobs) - 1):
            time, late, valid = 0, 0, True
            charge = [order[0]]
            for cut, k in zip((*cuts, True), (*order[1:], None), strict=True):
                if not cut:
                    charge.append(k)
                    continue
                families = {jobs[j].operations[0].family for j in charge}
                valid = valid and len(families) == 1 and len(charge) <= shop.ovens["oven"]
                time = max([time, *(jobs[j].release for j in charge)]) + jobs[charge[0]].operations[0].duration
                late += sum(max(0, time - jobs[j].due) for j in charge)
                charge = [k]
            if valid and (best is None or late < best):
                best = late
    return best


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from("xy"), st.integers(0, 4), st.integers(2, 9)), min_size=1, max_size=5),
    st.integers(1, 3),
)
def test_no_way_to_form_charges_is_better(jobs: list[tuple[str, int, int]], capacity: int) -> None:
    shop = oven(*jobs, capacity=capacity, x=4, y=3)
    solution = shop.solve("tardiness", method="CP-SAT", iterations=20000)
    check(shop, solution.plan)
    assert solution.status == "optimal"
    assert solution.objective == charges(shop)
    assert lower_bound(shop, "tardiness") <= solution.objective
    assert lower_bound(shop, "makespan") <= solution.plan.makespan


def test_the_checker_knows_what_is_no_charge() -> None:
    shop = oven(("x", 0, 9), ("x", 0, 9), ("x", 0, 9), ("y", 0, 9), x=4, y=4)

    def rules(*starts: int) -> list[str]:
        plan = Plan.of(Assignment(str(k), 0, "oven", start, start + 4) for k, start in enumerate(starts))
        return [violation.rule for violation in violations(shop, plan)]

    assert rules(0, 0, 4, 8) == []
    assert rules(0, 1, 5, 9) == ["not one charge"]
    assert rules(0, 0, 0, 4) == ["charge too large"]
    assert rules(0, 4, 8, 0) == ["not one charge"]
    nameless = replace(
        shop, jobs=tuple(replace(j, operations=(replace(j.operations[0], family=None),)) for j in shop.jobs)
    )
    together = Plan.of(Assignment(str(k), 0, "oven", 4 * (k // 2), 4 * (k // 2) + 4) for k in range(4))
    assert [v.rule for v in violations(nameless, together)] == ["not one charge"] * 2


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ("auto", "CP-SAT")])
def test_a_method_that_cannot_names_those_that_can(method: str) -> None:
    shop = oven(("x", 0, 9), ("x", 0, 9), x=4)
    with pytest.raises(InputError, match="ovens.*use CP-SAT or auto|cannot plan oven.*use CP-SAT or auto"):
        shop.solve("makespan", method=method, iterations=5)


def test_execution_and_replanning_refuse_ovens_by_name() -> None:
    shop = oven(("x", 0, 9), ("x", 0, 9), x=4)
    plan = shop.solve("makespan", method="CP-SAT", iterations=50).plan
    with pytest.raises(InputError, match="execution: cannot run oven, .*: only plan it"):
        execute(shop, plan, CALM, seed=1, replication=0)
    with pytest.raises(InputError, match="cannot plan oven"):
        replan(shop, plan, Breakdown(1, "oven", 3))


BAD = {
    "unknown": ({"ovens": {"kiln": 2}}, "ovens: unknown machine 'kiln'; known: oven"),
    "no room": ({"ovens": {"oven": 0}}, "oven oven: capacity = 0: expected a whole number from 1"),
    "set-ups": ({"setups": {"oven": {("x", "y"): 1}}}, "oven oven: has set-ups as well"),
    "other time": (
        {"jobs": tuple(Job(str(k), (Operation("oven", 3 + k, family="x"),)) for k in range(2))},
        "oven oven: job 1 operation 0 takes 4, job 0 operation 0 3: expected the same time for all of family x",
    ),
}


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_oven_is_named_in_one_line(changes: dict, message: str) -> None:
    with pytest.raises(InputError, match="^[^\n]{1,300}$") as caught:
        replace(oven(("x", 0, 9), x=4), **changes)
    assert message in str(caught.value)
