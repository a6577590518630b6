"""Jobs that may be left out: what they cost, who must be done, why one is not, and what becomes of it on the floor."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.problems import priced, problems
from tests.scheduling.shops import single
from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError
from twinloop.scheduling.checker import violations
from twinloop.scheduling.clock import Say
from twinloop.scheduling.execution.execution import CALM, execute
from twinloop.scheduling.execution.risk import assess
from twinloop.scheduling.execution.whatif import what_if, with_job
from twinloop.scheduling.files.reading import Reading
from twinloop.scheduling.lateness import jobs_left_out
from twinloop.scheduling.methods import METHODS
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.planning import solve
from twinloop.scheduling.problem import Alternative, Job, JobShop, Material, Operation, Pool, Window
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.report import PlanReport
from twinloop.scheduling.rescheduling.events import Breakdown, RushJob
from twinloop.scheduling.rescheduling.replan import METHODS as REACTIONS
from twinloop.scheduling.rescheduling.replan import replan
from twinloop.scheduling.rescheduling.rolling import roll
from twinloop.scheduling.settings import ScheduleSettings
from twinloop.scheduling.solution import Solution
from twinloop.scheduling.solvers.neighbourhoods import solve_neighbourhoods
from twinloop.scheduling.solvers.pareto import pareto_front

UNITS = Say.of(None, minutes=False)


def mill(*jobs: Job, **more: Any) -> JobShop:
    return JobShop(("mill",), jobs, **more)


def one(name: str, duration: int, **more: Any) -> Job:
    """A job of one operation on the mill."""
    return Job(name, (Operation("mill", duration),), **more)


def plan(*rows: tuple[str, int, int]) -> Plan:
    """Job, start and end of operations on the mill."""
    return Plan.of(Assignment(job, 0, "mill", start, end) for job, start, end in rows)


def reason(shop: JobShop, *rows: tuple[str, int, int]) -> str:
    (gone,) = jobs_left_out(shop, plan(*rows), UNITS)
    return gone.reason


# By hand: a and b want the mill at the same time, c must be done and has time.
CLASH = mill(
    one("a", 3, due=3, firm=True, price=5), one("b", 3, due=4, firm=True, price=9), one("c", 2, due=2, weight=2)
)


@pytest.mark.parametrize("method", ["auto", "CP-SAT", "CP-SAT LNS", "annealing", "genetic", "LPT"])
@pytest.mark.parametrize(
    ("goal", "values"), [("makespan", (5, 5)), ("weighted_tardiness", (11,)), ("late_jobs", (5, 1))]
)
def test_the_cheaper_of_two_that_clash_is_left_out(method: str, goal: str, values: tuple[int, ...]) -> None:
    solution = CLASH.solve(goal, method=method, iterations=400)
    assert solution.plan is not None
    assert CLASH.left_out(solution.plan) == ("a",)
    assert solution.values == values
    assert violations(CLASH, solution.plan) == ()


@pytest.mark.parametrize("method", ["local search", "shifting bottleneck", "simulated annealing"])
def test_searches_of_plain_shops_weigh_prices_against_time(method: str) -> None:
    shop = mill(one("a", 8, price=5), one("b", 3, price=9), one("c", 2))
    solution = shop.solve({"makespan": 1, "left_out": 1}, method=method, iterations=2000)
    assert solution.plan is not None
    assert shop.left_out(solution.plan) == ("a",)
    assert solution.values == (10,)


def test_a_front_shows_what_time_each_price_saves() -> None:
    shop = mill(one("a", 8, price=5), one("b", 3, price=9), one("c", 2))
    front = pareto_front(shop, Question(Goal.of("left_out", "makespan"), Limit(deterministic=2.0)), points=4)
    assert {point.values for point in front.points} <= {(0, 13), (5, 5), (14, 2)}
    assert front.points[0].values == (0, 13)
    assert front.proved
    with pytest.raises(InputError, match="no term counts their prices"):
        pareto_front(shop, Question(Goal.of("makespan", "tardiness"), Limit(deterministic=2.0)), points=2)


def test_prices_are_costs_where_weights_are_and_come_first_where_time_counts() -> None:
    assert Goal.of("weighted_tardiness", "makespan").on(CLASH).levels == (
        {"weighted_tardiness": 1, "left_out": 1},
        {"makespan": 1},
    )
    assert Goal.of("makespan").on(CLASH).levels == ({"left_out": 1}, {"makespan": 1})
    own = Goal.of({"makespan": 1, "left_out": 2})
    assert own.on(CLASH) == own
    assert Goal.of("makespan").on(single((3, 0, 9, 1))) == Goal.of("makespan")
    with pytest.raises(InputError, match="no term counts their prices"):
        Goal.of("makespan").values(CLASH, plan(("c", 0, 2)))


def test_weights_are_weighed_against_the_price() -> None:
    late = one("late", 4, due=4, weight=3)
    for price, left_out in ((8, ("late",)), (10, ())):
        shop = mill(one("first", 3, due=3, weight=9), replace(late, price=price))
        solution = shop.solve("weighted_tardiness", deterministic=1.0)
        assert solution.plan is not None
        assert shop.left_out(solution.plan) == left_out
        assert solution.values == (min(price, 9),)
        assert solution.status == "optimal"


def test_pieces_are_made_of_what_must_be_done() -> None:
    with pytest.raises(InputError, match="does all jobs that it is given"):
        solve_neighbourhoods(CLASH, Question(Goal.of("makespan").on(CLASH), Limit(iterations=1)))


def test_all_may_be_left_out() -> None:
    shop = mill(one("a", 3, due=1, firm=True, price=5))
    for method in ("auto", "CP-SAT", "annealing", "SPT"):
        solution = shop.solve("makespan", method=method, iterations=50)
        assert solution.plan == Plan(())
        assert solution.values == (5, 0)


def test_lots_are_left_out_together() -> None:
    shop = JobShop(
        ("mill",),
        (
            Job("order", (Operation("mill", 0, piece_time=1.0),), quantity=4, lot=2, due=5, firm=True, price=3),
            one("must", 3, due=3, firm=True),
        ),
    )
    assert shop.optional == {"order": ("order/1", "order/2", "order")}
    solution = shop.solve("makespan", deterministic=1.0)
    assert solution.plan is not None
    assert {a.job for a in solution.plan} == {"must"}
    half = Plan.of([*plan(("must", 0, 3)), Assignment("order/1", 0, "mill", 3, 5)])
    assert {v.message for v in violations(shop, half)} == {
        "job order/2 operation 0 is not planned",
        "job order operation 0 is not planned",
    }


def test_what_comes_after_a_job_left_out_is_left_out_too() -> None:
    shop = mill(one("a", 5, due=3, firm=True, price=1), one("b", 1, price=7, after=("a",)), one("c", 1))
    solution = shop.solve("weighted_tardiness", deterministic=1.0)
    assert solution.plan is not None
    assert shop.left_out(solution.plan) == ("a", "b")
    assert solution.values == (8,)
    (broken,) = violations(shop, plan(("b", 0, 1), ("c", 1, 2)))
    assert broken.message == "job b comes after job a, which is left out"


def test_materials_that_never_suffice_for_all_are_used_for_the_dearest() -> None:
    jobs = [
        Job(name, (Operation("mill", 1, materials={"bar": 2}),), price=price) for name, price in (("a", 3), ("b", 4))
    ]
    shop = mill(*jobs, materials=(Material("bar", 1, ((4, 1),)),))
    for method in ("CP-SAT", "annealing"):
        solution = shop.solve("makespan", method=method, iterations=200)
        assert solution.plan is not None
        assert shop.left_out(solution.plan) == ("a",)
        assert solution.values == (3, 5)


def test_ovens_groups_and_set_ups_go_together_with_jobs_left_out() -> None:
    bake = Operation("oven", 4, family="a")
    shop = JobShop(
        ("oven", "m1", "m2"),
        (
            *(Job(f"cake {k}", (bake, Operation("mills", 2)), due=8, firm=True, price=2 + k) for k in range(3)),
            Job("late", (Operation("mills", 9, family="b"),), due=10, weight=1, price=1),
        ),
        groups={"mills": ("m1", "m2")},
        ovens={"oven": 2},
        setups={"m1": {("b", "a"): 1}},
    )
    solution = shop.solve("weighted_tardiness", deterministic=2.0)
    assert solution.plan is not None
    assert violations(shop, solution.plan) == ()
    # Two fit into the oven at once, the third would be out at 8.
    assert shop.left_out(solution.plan) == ("cake 0",)


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        ((one("a", 1, price=-1),), "job a: price = -1: expected a whole number"),
        ((one("a", 1, price=1.5),), r"job a: price = 1\.5: expected a whole number"),
        ((one("a", 1, price=1), one("b", 1, after=("a",))), "job b: must be done, but comes after a"),
        ((one("a", 1), one("b", 1, part_of="a", price=1)), "job b: is part of a and left out with it"),
    ],
)
def test_prices_that_cannot_be_meant_are_refused(jobs: tuple[Job, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        mill(*jobs)


def test_what_has_begun_is_not_left_out() -> None:
    begun = Assignment("a", 0, "mill", 0, 3)
    shop = replace(CLASH, frozen=(begun,))
    assert "a" not in shop.optional
    solution = shop.solve("weighted_tardiness", deterministic=1.0)
    assert solution.plan is not None
    assert begun in solution.plan
    assert shop.left_out(solution.plan) == ("b",)


def test_a_job_that_is_left_out_says_why() -> None:
    assert reason(CLASH, ("b", 0, 3), ("c", 3, 5)) == "mill is taken by b between 0 and 3"
    alone = mill(one("a", 5, due=3, firm=True, price=1), one("c", 2))
    assert reason(alone, ("c", 0, 2)) == "even alone in the shop it would end 5, after its firm due date"
    dear = mill(one("a", 3, due=3, weight=4, price=5), one("c", 2))
    assert reason(dear, ("c", 0, 2)) == "behind all others it would be 2 late, which costs 8"
    assert reason(mill(one("a", 3, price=0), one("c", 2)), ("c", 0, 2)) == "behind all others it could end 5"
    two = mill(one("a", 5, due=3, firm=True, price=1), one("b", 1, price=7, after=("a",)), one("c", 1))
    assert jobs_left_out(two, plan(("c", 0, 1)), UNITS)[0].reason == "it comes after a, which is left out"
    people = JobShop(
        ("mill", "lathe"),
        (
            Job("a", (Operation("mill", 2, (Alternative("lathe", 2),), pools={"crew": 1}),), due=2, firm=True, price=1),
            Job("c", (Operation("lathe", 2, pools={"crew": 1}),)),
        ),
        pools=(Pool("crew", 1),),
    )
    (gone,) = jobs_left_out(people, Plan.of([Assignment("c", 0, "lathe", 0, 2)]), UNITS)
    assert gone.reason == "crew, lathe are taken by c between 0 and 2"


def reports() -> Iterator[PlanReport]:
    for objective in ("weighted_tardiness", "makespan"):
        solution = solve(CLASH, ScheduleSettings(objective=objective, deterministic_limit=1.0), seed=1)
        yield PlanReport("orders", Reading(CLASH, "a test"), solution, datetime(2026, 12, 1, tzinfo=UTC))


def test_reports_name_what_is_left_out_with_its_price(tmp_path: Path) -> None:
    for report in reports():
        assert report.headline == "1 on time, 1 late, 1 left out at a price of 5; ends 5"
        expected = {"job": "a", "price": 5, "reason": "mill is taken by b between 0 and 3"}
        assert report.record()["left_out"] == [expected]
        report.save(tmp_path / "plan.html")
        page = (tmp_path / "plan.html").read_text()
        assert "mill is taken by b between 0 and 3" in page
        assert "left out: a (price 5)" in page
        report.save(tmp_path / "plan.xlsx")
    empty = mill(one("a", 3, due=1, firm=True, price=5))
    solution = Solution.of("rule", empty, goal=Goal.of("left_out"), plan=Plan(()), bound=0)
    report = PlanReport("orders", Reading(empty, "a test"), solution, datetime(2026, 12, 1, tzinfo=UTC))
    assert report.headline == "no due dates, 1 left out at a price of 5; ends 0"
    report.save(tmp_path / "empty.html")


def test_a_job_that_is_left_out_is_not_executed() -> None:
    made = plan(("b", 0, 3), ("c", 3, 5))
    realised = execute(CLASH, made, CALM, seed=1, replication=0)
    assert [r.planned.job for r in realised] == ["b", "c"]
    risks = assess(CLASH, {"plan": made}, CALM, seed=1, replications=2)
    assert risks.late["job"].to_list() == ["b", "c"]


def test_another_machine_makes_room_for_a_job_left_out() -> None:
    def planner(shop: JobShop) -> Solution:
        return METHODS["CP-SAT"].solve(shop, Question(Goal.of("weighted_tardiness"), Limit(deterministic=1.0)))

    more = with_job(CLASH, one("rush", 3, due=3, firm=True, price=7))
    comparison = what_if(CLASH, more, planner, CALM, seed=1, replications=2)
    assert comparison.frame is not None
    assert comparison.frame.rows()[0][:4] == ("price left out", 5.0, 12.0, 7.0)


@pytest.mark.parametrize("method", REACTIONS)
def test_reactions_choose_again_or_keep_the_choice(method: str) -> None:
    before = plan(("b", 0, 3), ("c", 3, 5))
    assert violations(CLASH, before) == ()
    broken = replan(CLASH, before, Breakdown(1, "mill", 4), method=method)  # type: ignore[arg-type]
    # What has begun stays, however late; nothing else fits before its firm date.
    assert broken.solution.status in ("no plan", "infeasible")
    rushed = replan(CLASH, before, RushJob(3, one("rush", 2, due=8, weight=9, price=4)), method=method)  # type: ignore[arg-type]
    assert rushed.plan is not None
    assert violations(rushed.shop, rushed.plan) == ()
    assert rushed.shop.left_out(rushed.plan) == (("a", "rush") if method == "right-shift" else ("a",))


def test_the_floor_goes_on_without_a_job_that_is_left_out() -> None:
    shop = mill(one("a", 3, due=30, price=5, weight=1), one("b", 3, due=3, price=1, firm=False), one("c", 2, weight=9))
    before = plan(("c", 0, 2), ("a", 2, 5))
    events = [RushJob(1, one("rush", 2, due=9, weight=9, price=8))]
    rolled = roll(shop, before, CALM, events, method="full", seed=1)
    assert rolled.realised[0].planned.job == "c"
    assert {"a", "rush"} <= {r.planned.job for r in rolled.realised}


@settings(max_examples=settings.default.max_examples // 2)
@given(problems(most_operations=5, ovens=False), st.data())
def test_what_a_plan_does_is_a_shop_of_its_own(fields: dict[str, Any], data: st.DataObject) -> None:
    try:
        shop = JobShop(**{**fields, "jobs": data.draw(priced(fields["jobs"]))})
    except InputError:
        return
    solution = METHODS["ATC"].solve(shop, Question(Goal.of("weighted_tardiness"), Limit(iterations=1)))
    if solution.plan is None or not len(solution.plan):
        return
    assert violations(shop, solution.plan) == ()
    alone = shop.done_by(solution.plan)
    assert violations(alone, solution.plan) == ()
    assert not alone.optional
    without = sum(shop.by_name[name].price or 0 for name in shop.left_out(solution.plan))
    tardiness = Goal.of("weighted_tardiness").values(alone, solution.plan)[0]
    assert solution.values == (tardiness + without,)
    assert solution.bound <= solution.values[0]


def test_closed_hours_leave_a_meeting_no_place() -> None:
    shop = mill(one("a", 4, due=9, firm=True, price=2), one("b", 2), stops={"mill": (Window(2, 6),)})
    solution = shop.solve("makespan", deterministic=1.0)
    assert solution.plan is not None
    assert jobs_left_out(shop, solution.plan, UNITS)[0].reason.startswith("even alone")
