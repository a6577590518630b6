from html.parser import HTMLParser

import pytest

from tests.scheduling.shops import rich_plan, rich_shop
from twinloop.contracts import Assignment, Plan
from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import Job, JobShop, Material, Operation, Pool
from twinloop.scheduling.solution import Incumbent, Solution

HOSTILE = "<script>alert(1)</script>"


class Words(HTMLParser):
    def __init__(self, face: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.found: list[str] = []
        self.feed(face)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.found.append(data)


def test_a_solution_shows_status_values_bound_and_its_plan():
    goal = Goal.of("makespan", "setup")
    trace = [Incumbent(30, 5, 0.1), Incumbent(24, 12, 1.25)]
    solution = Solution.of("CP-SAT", rich_shop(), goal=goal, plan=rich_plan(), bound=12, trace=trace)
    words = Words(solution._repr_html_())
    assert {"table", "svg"} <= words.tags
    assert {"feasible: a better plan may exist", "24, then 2", "1.25 s, as number 2 of the search"} <= set(words.found)
    assert any(word.startswith("12 (at most 50.0") for word in words.found)


def test_a_solution_without_a_plan_shows_the_reason():
    face = Solution("CP-SAT", "infeasible", None, None, 3, reason=f"job {HOSTILE} is too late")._repr_html_()
    assert "infeasible: no plan exists" in face
    assert "svg" not in Words(face).tags
    assert "script" not in Words(face).tags


def test_a_shop_shows_machines_jobs_and_every_limit():
    found = Words(rich_shop()._repr_html_()).found
    assert "3 jobs, 5 operations, 3 machines" in found
    for limit in (
        "mill is closed 2 times",
        "saw needs set-ups between 2 pairs of families",
        "pool cutter: 1, is closed once",
        "material bar: 1 in stock, 2 deliveries",
        "transport takes time on 2 pairs of machines",
        "operations that follow without waiting: 1",
    ):
        assert limit in found


def test_a_plain_shop_says_that_nothing_else_limits_it_and_cuts_long_lists():
    jobs = tuple(Job(str(k), (Operation("mill", 5),), due=9, firm=True) for k in range(12))
    found = Words(JobShop(("mill",), jobs)._repr_html_()).found
    assert "Machines, routes and dates are all that limits plans." in found
    assert "The first 10 of 12 jobs" in found
    assert found.count("9, firm") == 10


@pytest.mark.parametrize("machines", [1, 50])
@pytest.mark.parametrize("operations", [3, 1600])
def test_a_plan_is_a_small_chart_that_stays_small(machines, operations):
    plan = Plan.of(
        Assignment(f"j{k}", 0, f"m{k % machines}", k // machines * 10, k // machines * 10 + 9)
        for k in range(operations)
    )
    face = plan._repr_html_()
    assert Words(face).tags <= {"svg", "text", "path", "rect", "title"}
    assert len(face) < 300_000
    assert f"{operations} operations of {operations} jobs" in face


def test_machines_stand_in_the_order_of_their_numbers():
    plan = Plan.of(Assignment(name, 0, name, 0, 1) for name in ("m10", "m2", "m1"))
    words = Words(plan._repr_html_()).found
    assert [word for word in words if word in ("m1", "m2", "m10")] == ["m1", "m2", "m10"]


def test_an_empty_plan_says_so():
    assert "without operations" in Plan(())._repr_html_()


def test_hostile_names_stay_text():
    job = Job(HOSTILE, (Operation(HOSTILE, 5, pools={HOSTILE: 1}, materials={HOSTILE: 1}),))
    shop = JobShop((HOSTILE,), (job,), pools=(Pool(HOSTILE),), materials=(Material(HOSTILE, 1),))
    for face in (shop._repr_html_(), Plan.of([Assignment(HOSTILE, 0, HOSTILE, 0, 5)])._repr_html_()):
        assert "script" not in Words(face).tags
        assert HOSTILE in "".join(Words(face).found)
