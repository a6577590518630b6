import dataclasses

import pytest

from tests.scheduling.shops import rich_plan, rich_shop
from twinloop.contracts import Assignment, Plan
from twinloop.errors import InputError
from twinloop.scheduling.objectives import Goal, job_ends, measure, missed_promise
from twinloop.scheduling.problem import Job, JobShop, Operation

# shaft is due at 16, cover at 20; one set-up from steel to brass on the saw; saw 500 W for 7, mill 2000 W for 6.
BY_HAND = {"makespan": 24, "tardiness": 0, "weighted_tardiness": 0, "earliness": 0, "setup": 2, "energy": 15_500}


@pytest.mark.parametrize(("term", "value"), BY_HAND.items())
def test_terms_of_a_plan_are_those_computed_by_hand(term, value):
    assert measure(term, rich_shop(), rich_plan()) == value


def test_late_and_early_jobs_are_weighed():
    late = rich_plan(shaft_1=("lathe", 24, 32))
    assert measure("tardiness", rich_shop(), late) == 16
    assert measure("weighted_tardiness", rich_shop(), late) == 32
    early = rich_plan(shaft_1=("mill", 8, 14))
    assert measure("earliness", rich_shop(), early) == 2


def test_stability_is_how_far_starts_have_moved():
    moved = rich_plan(base_0=("lathe", 25, 30), cover_0=("saw", 8, 11))
    assert measure("stability", rich_shop(), moved, reference=rich_plan()) == 6 + 1


def test_levels_are_compared_in_order_of_importance():
    goal = Goal.of("weighted_tardiness", {"makespan": 2, "setup": 1})
    assert goal.values(rich_shop(), rich_plan()) == (0, 2 * 24 + 2)


ROUTE = (Operation("mill", 3), Operation("press", 4))
# a has no due date, b one that is only wished for, c and d firm ones; lateness and earliness cost differently.
PROMISES = JobShop(
    ("mill", "press"),
    (
        Job("a", ROUTE),
        Job("b", ROUTE, due=20, weight=3, earliness_weight=5),
        Job("c", ROUTE, due=30, firm=True, weight=2, earliness_weight=7),
        Job("d", ROUTE, due=40, firm=True),
    ),
)


def ending(**ends: int) -> Plan:
    """Each job's press operation ends when it is said, its mill operation at once before."""
    return Plan.of(
        a
        for job, end in ends.items()
        for a in (Assignment(job, 1, "press", end - 4, end), Assignment(job, 0, "mill", end - 7, end - 4))
    )


@pytest.mark.parametrize(
    ("term", "value"),
    {
        "max_tardiness": 5,
        "late_jobs": 2,
        "completion": 10 + 25 + 32 + 40,
        "weighted_completion": 10 + 75 + 64 + 40,
    }.items(),
)
def test_goals_of_ends_and_due_dates_are_those_computed_by_hand(term, value):
    assert measure(term, PROMISES, ending(a=10, b=25, c=32, d=40)) == value


def test_jobs_that_end_on_their_date_cost_nothing_and_one_unit_later_or_earlier_does():
    on_time = ending(a=99, b=20, c=30, d=40)
    assert [measure(term, PROMISES, on_time) for term in ("tardiness", "weighted_tardiness", "earliness")] == [0, 0, 0]
    beside = ending(a=99, b=21, c=29, d=42)
    assert measure("tardiness", PROMISES, beside) == 1 + 2
    assert measure("weighted_tardiness", PROMISES, beside) == 3 + 2
    assert measure("earliness", PROMISES, beside) == 7


def test_the_first_firm_promise_that_is_missed_is_told():
    assert missed_promise(PROMISES, ending(a=99, b=99, c=30, d=40)) == ""
    assert missed_promise(PROMISES, ending(a=99, b=99, c=30, d=41)) == "ends job d at 41, after its firm due date 40"
    assert missed_promise(PROMISES, ending(a=7, b=7, c=55, d=41)) == "ends job c at 55, after its firm due date 30"


def test_a_job_ends_with_the_last_of_its_operations_in_whatever_order_they_stand():
    assert job_ends(ending(a=12, b=20)) == {"a": 12, "b": 20}
    assert job_ends(Plan((Assignment("a", 1, "press", 5, 9), Assignment("a", 0, "mill", 2, 5)))) == {"a": 9}
    assert job_ends(Plan((Assignment("a", 0, "mill", 0, 0),))) == {"a": 0}


def test_set_ups_follow_the_order_in_time_on_each_machine():
    families = {"a": "steel", "b": "brass", "c": "steel", "d": None}
    jobs = tuple(Job(name, (Operation("saw", 2, family=family),)) for name, family in families.items())
    setups = {"saw": {("steel", "brass"): 2, ("brass", "steel"): 3}}
    shop = JobShop(("saw",), jobs, setups=setups)

    def order(names: str) -> Plan:
        return Plan(
            tuple(Assignment(name, 0, "saw", 10 * names.index(name), 10 * names.index(name) + 2) for name in "dcba")
        )

    assert measure("setup", shop, order("abcd")) == 2 + 3
    assert measure("setup", shop, order("acbd")) == 2
    # What has no family leaves the machine set up as it was.
    assert measure("setup", shop, order("adbc")) == 2 + 3


def test_operations_that_the_earlier_plan_does_not_know_have_not_moved():
    reference = ending(a=12)
    assert measure("stability", PROMISES, ending(a=10, b=20), reference=reference) == 2 + 2
    assert measure("stability", PROMISES, ending(a=13, b=20), reference=reference) == 1 + 1
    assert measure("stability", PROMISES, ending(a=13, b=20)) == 0
    assert Goal.of("stability", reference=reference).values(PROMISES, ending(a=9)) == (6,)


def test_a_term_alone_has_weight_one_and_terms_are_named_once():
    goal = Goal.of("makespan", {"setup": 1, "makespan": 3})
    assert goal.levels == ({"makespan": 1}, {"setup": 1, "makespan": 3})
    assert goal.terms == ("makespan", "setup")
    with pytest.raises(dataclasses.FrozenInstanceError):
        goal.levels = ()  # type: ignore[misc]


BAD_GOALS = {
    "no level": (lambda: Goal.of(), "expected at least one term on every level"),
    "empty level": (lambda: Goal.of({}), "expected at least one term on every level"),
    "empty second level": (lambda: Goal.of("makespan", {}), "expected at least one term on every level"),
    "truth as weight": (lambda: Goal.of({"setup": True}), "weight of setup = True: expected a whole number ≥ 1"),
    "part of a weight": (lambda: Goal.of({"setup": 1.5}), "weight of setup = 1.5: expected a whole number ≥ 1"),
    "unknown": (lambda: Goal.of("beauty"), "unknown term 'beauty'; known: makespan"),
    "weight": (lambda: Goal.of({"setup": 0}), "weight of setup = 0: expected a whole number ≥ 1"),
    "no reference": (lambda: Goal.of("stability"), "compares with an earlier plan, and none was given"),
}


@pytest.mark.parametrize(("goal", "message"), BAD_GOALS.values(), ids=BAD_GOALS.keys())
def test_an_objective_that_cannot_be_used_is_refused(goal, message):
    with pytest.raises(InputError, match=message):
        goal()
