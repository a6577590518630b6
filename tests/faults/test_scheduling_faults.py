"""Faults 20, 21, 22 and 24: cycles, impossible due dates, bad durations and machines, numbers of workers."""

from typing import Any

import pytest

from tests.scheduling.shops import single
from twinloop.errors import InputError
from twinloop.scheduling.execution.execution import Disruptions, replicate
from twinloop.scheduling.planning import solve
from twinloop.scheduling.problem import Job, JobShop, Operation
from twinloop.scheduling.settings import ScheduleSettings
from twinloop.scheduling.solvers.rules import dispatch

FIRM = ScheduleSettings(deterministic_limit=2.0)


def test_fault_20_a_cycle_of_jobs_is_named() -> None:
    step = (Operation("mill", 1),)
    jobs = Job("a", step, after=("c",)), Job("b", step, after=("a",)), Job("c", step, after=("b",)), Job("d", step)
    with pytest.raises(InputError, match="^[^\n]* wait for each other in a circle[^\n]*$") as caught:
        JobShop(("mill",), jobs)
    named = str(caught.value).removeprefix("jobs ").split(" wait")[0].split(" → ")
    assert named[0] == named[-1]
    assert set(named) == {"a", "b", "c"}


def test_fault_20_a_job_after_itself_is_named() -> None:
    with pytest.raises(InputError, match="jobs a → a wait for each other"):
        JobShop(("mill",), (Job("a", (Operation("mill", 1),), after=("a",)),))


def test_fault_21_a_route_that_is_too_long_is_reported_with_its_end() -> None:
    route = (Operation("mill", 300), Operation("press_1", 200))
    job = Job("7", route, release=12, due=480, firm=True)
    found = solve(JobShop(("mill", "press_1"), (job,)), FIRM, seed=1)
    assert found.status == "infeasible"
    assert found.reason == (
        "job 7 cannot meet its due date 480: shortest route ends at 512; the least total delay is 32 (job 7 32)"
    )


def test_fault_21_jobs_that_conflict_on_a_machine_are_named_and_no_others() -> None:
    def on_press(name: str, due: int) -> Job:
        return Job(name, (Operation("mill", 10), Operation("press_1", 40)), due=due, firm=True)

    jobs = on_press("2", 120), on_press("7", 125), on_press("8", 900), on_press("9", 120)
    found = solve(JobShop(("mill", "press_1"), jobs), FIRM, seed=1)
    assert found.status == "infeasible"
    assert found.reason.startswith(
        "jobs 2, 7 and 9 conflict on press_1: 120 of work between 10 and 125; the least total delay is 5 (job "
    )


def test_fault_21_route_and_machine_conflicts_are_reported_together() -> None:
    jobs = (
        Job("1", (Operation("mill", 50),), due=40, firm=True),
        Job("2", (Operation("press_1", 30),), due=50, firm=True),
        Job("3", (Operation("press_1", 30),), due=50, firm=True),
    )
    found = solve(JobShop(("mill", "press_1"), jobs), FIRM, seed=1)
    assert found.reason.startswith(
        "job 1 cannot meet its due date 40: shortest route ends at 50; "
        "jobs 2 and 3 conflict on press_1: 60 of work between 0 and 50; "
        "the least total delay is 20 (job 1 10, job "
    )


def test_fault_21_a_conflict_that_no_single_machine_shows_names_a_smallest_set() -> None:
    # 8 of work fit into 10, but b must run from 4 to 6 and leaves no room of 6 on either side; c is not involved.
    found = solve(single((6, 0, 10, 1), (2, 4, 6, 1), (5, 10, 40, 1), firm=True), FIRM, seed=1)
    assert found.status == "infeasible"
    assert found.reason.startswith(
        "jobs a and b cannot all meet their due dates (a by 10, b by 6), though any one fewer might; "
        "the least total delay is 2 (job "
    )


def test_fault_21_a_firm_job_behind_a_slow_one_names_who_makes_it_impossible() -> None:
    slow = Job("slow", (Operation("mill", 50),))
    quick = Job("quick", (Operation("press_1", 5),), due=20, firm=True, after=("slow",))
    found = solve(JobShop(("mill", "press_1"), (slow, quick)), FIRM, seed=1)
    assert found.status == "infeasible"
    assert "job quick cannot meet its due date 20: shortest route ends at 55" in found.reason
    assert "job slow cannot end by 15, when jobs after it must start: shortest route ends at 50" in found.reason


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (("mill", -1), "job 3 operation 2: duration = -1"),
        (("mill", float("nan")), "job 3 operation 2: duration = nan"),
        (("mill", 10**30), "job 3 operation 2: duration = 1000000000000000000000000000000"),
        (("mil", 1), "job 3 operation 2: unknown machine 'mil'"),
    ],
)
def test_fault_22_bad_operations_are_refused_before_solving(operation: tuple[str, Any], message: str) -> None:
    good = Operation("mill", 1)
    with pytest.raises(InputError, match="^[^\n]*$") as caught:
        JobShop(("mill",), (Job("3", (good, good, Operation(*operation))),))
    assert message in str(caught.value)


def test_fault_24_one_or_four_workers_give_identical_results() -> None:
    shop = single((30, 0, 50, 1), (10, 0, 15, 4), (25, 5, 60, 2))
    plans = {rule: dispatch(shop, rule) for rule in ("SPT", "EDD")}  # type: ignore[arg-type]
    disruptions = Disruptions({"mill": (60.0, 20.0)}, 0.2)
    one, four = (replicate(shop, plans, disruptions, seed=1, replications=2000, workers=workers) for workers in (1, 4))
    assert one.equals(four)
