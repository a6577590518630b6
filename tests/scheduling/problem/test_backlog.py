"""The floor as it is when planning begins: orders that are overdue, work in progress, operations that take no time."""

from dataclasses import replace

import numpy as np
import pytest

from tests.scheduling.shops import rich_plan, rich_shop
from twinloop.contracts import Assignment, Plan
from twinloop.replication.streams import Streams
from twinloop.scheduling.checker import check, violations
from twinloop.scheduling.dispatching import RULES
from twinloop.scheduling.execution.disruptions import CALM, Luck
from twinloop.scheduling.execution.floor import Floor
from twinloop.scheduling.execution.whatif import what_if, with_job
from twinloop.scheduling.frames import load_frame
from twinloop.scheduling.methods import METHODS
from twinloop.scheduling.objectives import measure
from twinloop.scheduling.problem import Job, JobShop, Operation, Pool
from twinloop.scheduling.problem.settings import Rush
from twinloop.scheduling.rescheduling.events import RushJob
from twinloop.scheduling.rescheduling.replan import replan

LIMITED = {name: METHODS[name] for name in METHODS if name not in RULES}


def backlog() -> JobShop:
    """a is on the mill since −30 and needs it until 10; b is overdue since −480; c came at −100 and is due at 8."""
    jobs = (
        Job("a", (Operation("mill", 40), Operation("lathe", 5)), release=-60, due=12, weight=2),
        Job("b", (Operation("mill", 4),), due=-480, weight=1),
        Job("c", (Operation("lathe", 6), Operation("mill", 2)), release=-100, due=8, weight=3),
    )
    return JobShop(("mill", "lathe"), jobs, frozen=(Assignment("a", 0, "mill", -30, 10),))


# Behind a the mill takes c at 10 and b at 12, or the other way: 2 × 3 + 496 + 3 × 4, or 2 × 3 + 494 + 3 × 8.
LEAST = 6 + 496 + 12


@pytest.mark.parametrize("method", ["auto", "CP-SAT", "CP-SAT LNS", "annealing", "genetic"])
def test_a_backlog_is_planned_by_every_method(method: str) -> None:
    solution = backlog().solve("weighted_tardiness", method=method, iterations=200)
    check(backlog(), solution.plan)
    assert solution.objective == LEAST
    assert solution.bound <= LEAST
    assert Assignment("a", 0, "mill", -30, 10) in solution.plan.assignments
    assert min(a.start for a in solution.plan if a.job != "a") == 0


@pytest.mark.parametrize("rule", RULES)
def test_a_backlog_is_planned_by_every_rule(rule: str) -> None:
    solution = backlog().solve("weighted_tardiness", method=rule, iterations=1)
    check(backlog(), solution.plan)
    assert solution.objective >= LEAST


def test_a_firm_promise_that_has_passed_is_named() -> None:
    shop = JobShop(("mill",), (Job("a", (Operation("mill", 3),), due=-5, firm=True),))
    solution = shop.solve("makespan", method="CP-SAT", iterations=50)
    assert solution.status == "infeasible"
    assert "job a cannot meet its due date -5" in solution.reason


def test_nothing_but_work_in_progress_begins_before_now() -> None:
    shop = replace(backlog(), frozen=())
    early = Plan.of(
        [
            Assignment("a", 0, "mill", -30, 10),
            Assignment("a", 1, "lathe", 10, 15),
            Assignment("b", 0, "mill", 12, 16),
            Assignment("c", 0, "lathe", 0, 6),
            Assignment("c", 1, "mill", 10, 12),
        ]
    )
    assert {v.rule for v in violations(shop, early)} == {"before release"}
    assert not violations(backlog(), early)


def test_work_in_progress_holds_its_people() -> None:
    jobs = (Job("a", (Operation("mill", 9, pools={"crew": 1}),)), Job("b", (Operation("saw", 2, pools={"crew": 1}),)))
    frozen = (Assignment("a", 0, "mill", -4, 5),)
    shop = JobShop(("mill", "saw"), jobs, pools=(Pool("crew"),), frozen=frozen)
    for method in ("SPT", "CP-SAT", "annealing"):
        solution = shop.solve("makespan", method=method, iterations=20)
        check(shop, solution.plan)
        assert solution.objective == 7, method


def test_a_calm_floor_follows_a_plan_with_work_in_progress() -> None:
    shop = backlog()
    plan = shop.solve("weighted_tardiness", method="ATC", iterations=1).plan
    floor = Floor(shop, plan, Luck(CALM, Streams(1, 0)))
    assert all((r.start, r.end) == (r.planned.start, r.planned.end) for r in floor.finish())


def test_time_on_machines_is_counted_from_now() -> None:
    shop = backlog()
    load = load_frame(shop, shop.solve("weighted_tardiness", method="ATC", iterations=1).plan)
    assert load.filter(load["machine"] == "mill")["work"].item() == 10 + 2 + 4
    assert (load["idle"] >= 0).all()


def test_a_rush_order_may_come_too_late() -> None:
    assert Rush(product="bracket", quantity=3, due_min=-60).due_min == -60
    shop = rich_shop()
    late = Job("rush", (Operation("saw", 2),), due=1, weight=9)
    replanned = replan(shop, rich_plan(), RushJob(5, late))
    check(replanned.shop, replanned.plan)
    assert replanned.shop.by_name["rush"].due == 1
    assert measure("weighted_tardiness", replanned.shop, replanned.plan) >= 9 * (7 - 1)


def test_what_if_answers_for_a_backlog() -> None:
    shop = backlog()

    def plan(asked: JobShop):
        return asked.solve("weighted_tardiness", method="ATC", iterations=1)

    more = with_job(shop, Job("d", (Operation("mill", 3),), due=-10))
    frame = what_if(shop, more, plan, CALM, seed=1, replications=2).frame
    planned = frame.filter(frame["figure"] == "planned weighted_tardiness")
    assert planned["difference"].item() > 0
    calm = frame.filter(frame["figure"] == "weighted_tardiness")
    assert calm["today"].item() == planned["today"].item()


def milestones() -> JobShop:
    """a is checked on the mill after the saw, whatever the mill does; the check lets b begin."""
    jobs = (
        Job("a", (Operation("saw", 3), Operation("mill", 0), Operation("saw", 2)), due=5),
        Job("b", (Operation("saw", 2),), release=1),
        Job("c", (Operation("mill", 9),)),
        Job("order", (Operation("mill", 0),), due=4, after=("a", "b")),
    )
    return JobShop(("saw", "mill"), jobs)


@pytest.mark.parametrize("method", ["auto", "CP-SAT", "CP-SAT LNS", "annealing", "genetic", *RULES])
def test_a_milestone_occupies_no_machine(method: str) -> None:
    solution = milestones().solve("tardiness", method=method, iterations=50)
    check(milestones(), solution.plan)
    at = {(a.job, a.operation): a for a in solution.plan}
    assert at["c", 0].start == 0
    assert at["a", 1].start == at["a", 1].end < 9
    assert at["order", 0].start == 7


def test_a_milestone_takes_no_set_up_between_two_families() -> None:
    jobs = (
        Job("a", (Operation("mill", 2, family="x"),)),
        Job("b", (Operation("mill", 0, family="z"), Operation("mill", 2, family="y")), after=("a",)),
    )
    shop = JobShop(("mill",), jobs, setups={"mill": {("x", "y"): 3, ("x", "z"): 5, ("z", "y"): 5}})
    for method in ("SPT", "CP-SAT"):
        solution = shop.solve("setup", "makespan", method=method, iterations=20)
        check(shop, solution.plan)
        assert solution.values == (3, 7), method


def test_a_plain_shop_with_milestones_is_searched_as_one_without() -> None:
    draw = np.random.default_rng(4)
    jobs = []
    for k in range(6):
        route = [Operation(f"m{m}", int(draw.integers(1, 20))) for m in draw.permutation(4)]
        jobs.append(Job(str(k), (*route[:2], Operation("m0", 0), *route[2:], Operation("m1", 0))))
    with_them = JobShop(("m0", "m1", "m2", "m3"), (*jobs, Job("gate", (Operation("m2", 0),), release=3)))
    bare = JobShop(
        with_them.machines,
        tuple(replace(job, operations=tuple(o for o in job.operations if o.duration)) for job in jobs),
    )
    solution = with_them.solve("makespan", iterations=2000)
    check(with_them, solution.plan)
    assert solution.objective == bare.solve("makespan", iterations=2000).objective
    assert solution.status == "optimal"


def test_a_calm_floor_passes_milestones_as_planned() -> None:
    shop = milestones()
    plan = shop.solve("tardiness", method="ATC", iterations=1).plan
    realised = Floor(shop, plan, Luck(CALM, Streams(1, 0))).finish()
    assert all((r.start, r.end) == (r.planned.start, r.planned.end) for r in realised)
