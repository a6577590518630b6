"""What the floor has beside what its hours are: milestones, ovens, operators and work in progress under calendars."""

from dataclasses import replace
from pathlib import Path

import pytest

from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.checker import check, violations
from twinloop.scheduling.problem import Calendar, Changeover, Job, JobShop, Operation, Operator, Shift, Window
from twinloop.scheduling.problem.calendar import Closures

# Monday 6:00 to 14:00, again and again: open 0 … 480 of 1440.
EARLY = Calendar("2026-03-23T06:00", (Shift("06:00", "14:00"),))
METHODS = ("CP-SAT", "auto", "annealing", "SPT")


def solved(shop: JobShop, method: str, *goal: str) -> Plan:
    solution = shop.solve(*(goal or ("makespan",)), method=method, iterations=500)
    check(shop, solution.plan)
    assert lower_bound(shop, "makespan") <= solution.plan.makespan
    return solution.plan


@pytest.mark.parametrize("method", METHODS)
def test_a_milestone_happens_while_its_machine_is_closed(method: str) -> None:
    job = Job("a", (Operation("mill", 480), Operation("saw", 0), Operation("saw", 30, max_wait=960)))
    shop = JobShop(("mill", "saw"), (job,), calendars={"mill": EARLY, "saw": EARLY})
    plan = solved(shop, method)
    assert [(a.start, a.end) for a in plan if a.machine == "saw"] == [(480, 480), (1440, 1470)]


@pytest.mark.parametrize("method", ["CP-SAT", "auto"])
def test_a_charge_waits_for_the_shift_in_which_it_fits(method: str) -> None:
    jobs = tuple(Job(str(k), (Operation("oven", 300, family="x"),)) for k in range(4))
    shop = JobShop(("oven",), jobs, ovens={"oven": 2}, calendars={"oven": EARLY})
    assert solved(shop, method).makespan == 1740


@pytest.mark.parametrize("method", METHODS)
def test_operators_work_by_the_week(method: str) -> None:
    people = tuple(Operator(name, ("weld",), calendar=EARLY, stops=(Window(1440, 1500),)) for name in ("ann", "bob"))
    jobs = tuple(Job(str(k), (Operation(f"m{k}", 300, skills={"weld": 1}),)) for k in range(3))
    shop = JobShop(("m0", "m1", "m2"), jobs, operators=people)
    assert sorted(a.start for a in solved(shop, method)) == [0, 0, 1500]


@pytest.mark.parametrize("method", METHODS)
def test_what_had_begun_was_set_up_for_before(method: str) -> None:
    running = Assignment("run", 0, "mill", -5, 3)
    jobs = (Job("run", (Operation("mill", 8, family="x"),)), Job("next", (Operation("mill", 4, family="y"),)))
    setups = {("y", "x"): 7, ("x", "y"): 2}
    shop = JobShop(
        ("mill",), jobs, frozen=(running,), setups={"mill": setups}, changeovers={"mill": Changeover(initial="y")}
    )
    assert solved(shop, method) == Plan.of([running, Assignment("next", 0, "mill", 5, 9)])


def test_a_shop_of_both_comes_back_from_a_file(tmp_path: Path) -> None:
    people = (Operator("ann", ("weld",), repeat=1440, closed=(Window(480, 1440),)),)
    jobs = (
        Job("a", (Operation("mills", 30, skills={"weld": 1}), Operation("oven", 20, family="x", max_wait=9000))),
        Job("b", (Operation("saw", 5, resumable=True, least_run=3),), release=-4, due=-1),
    )
    shop = JobShop(
        ("mill", "saw", "oven"),
        jobs,
        groups={"mills": ("mill", "saw")},
        operators=people,
        ovens={"oven": 2},
        calendars={"mill": EARLY},
        stops={"saw": (Window(3, 5), Window(8, 9))},
        changeovers={"mill": Changeover(unattended=True)},
    )
    shop.write(tmp_path / "a.json")
    read = JobShop.read(tmp_path / "a.json")
    assert read == shop
    assert Closures(read).of(read.jobs[0].operations[0], "saw").first(470, 30) == 1440


def test_the_checker_knows_a_charge_in_closed_time() -> None:
    shop = JobShop(
        ("oven",), (Job("a", (Operation("oven", 30, family="x"),)),), ovens={"oven": 2}, calendars={"oven": EARLY}
    )
    assert [v.rule for v in violations(shop, Plan.of([Assignment("a", 0, "oven", 470, 500)]))] == ["closed"]


ONE = JobShop(("mill",), (Job("a", (Operation("mill", 3),)),))
SHORT = Calendar("2026-03-23T06:00", (Shift("06:00", "14:00", capacity=1),))
BAD = {
    "a crew of skills": (
        {
            "operators": (Operator("ann", ("weld",)),),
            "setups": {"mill": {("x", "y"): 1}},
            "changeovers": {"mill": Changeover(crew="skill weld")},
        },
        "changeovers of mill: the crew 'skill weld' are operators with skills",
    ),
    "other hours": (
        {"operators": (Operator("ann", ("weld",), calendar=EARLY), Operator("bob", ("weld",)))},
        "operators ann and bob share skills and are away at different times",
    ),
    "a shift of less than a person": (
        {"operators": (Operator("ann", ("weld",), calendar=SHORT),)},
        "operator ann: a shift of one person has no capacity",
    ),
    "no calendar": ({"calendars": {"mill": "early"}}, "machine mill: calendar: expected a Calendar, got 'early'"),
    "no changeover": ({"changeovers": {"mill": "x"}}, "changeovers of mill: expected a Changeover, got 'x'"),
    "no operator": ({"operators": ("ann",)}, "shop: operators: expected Operator objects, got 'ann'"),
    "no windows": ({"stops": {"mill": (3, 5)}}, "machine mill: stops: expected Window objects, got 3"),
}


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_combined_or_is_of_another_kind_is_refused_by_name(changes: dict, message: str) -> None:
    with pytest.raises(InputError, match="^[^\n]{1,300}$") as caught:
        replace(ONE, **changes)
    assert message in str(caught.value)
