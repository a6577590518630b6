import pytest

from tests.scheduling.shops import rich_plan, rich_shop
from twinloop.errors import InputError
from twinloop.scheduling.objectives import Goal, measure

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


BAD_GOALS = {
    "no level": (lambda: Goal.of(), "expected at least one term on every level"),
    "empty level": (lambda: Goal.of({}), "expected at least one term on every level"),
    "unknown": (lambda: Goal.of("beauty"), "unknown term 'beauty'; known: makespan"),
    "weight": (lambda: Goal.of({"setup": 0}), "weight of setup = 0: expected a whole number ≥ 1"),
    "no reference": (lambda: Goal.of("stability"), "compares with an earlier plan, and none was given"),
}


@pytest.mark.parametrize(("goal", "message"), BAD_GOALS.values(), ids=BAD_GOALS.keys())
def test_an_objective_that_cannot_be_used_is_refused(goal, message):
    with pytest.raises(InputError, match=message):
        goal()
