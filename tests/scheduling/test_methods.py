"""Every method by its name: the same question, a checked plan, and a clear word for a name that is none."""

from dataclasses import replace

import pytest

from tests.scheduling.shops import rich_shop, single
from twinloop.config import Invalid, parse
from twinloop.errors import InputError
from twinloop.scheduling import JobShop, ScheduleSettings
from twinloop.scheduling.checker import check
from twinloop.scheduling.methods import CONFIGURABLE, METHODS
from twinloop.scheduling.objectives import LEFT_OUT, TERMS, Goal
from twinloop.scheduling.problem import Job, Operation
from twinloop.scheduling.solvers.cp_goal import SUMS
from twinloop.scheduling.solvers.rich.values import KERNELS

SHOP = JobShop(
    ("mill", "saw"),
    tuple(Job(f"j{k}", (Operation("mill", 2 + k), Operation("saw", 5 - k))) for k in range(3)),
)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_plans_a_plain_shop_and_says_its_name(method: str) -> None:
    solution = SHOP.solve("makespan", method=method, iterations=200)
    check(SHOP, solution.plan)
    assert solution.method == method
    assert solution.bound <= solution.objective == solution.plan.makespan


@pytest.mark.parametrize("method", METHODS)
def test_every_method_does_all_that_it_can_of_what_may_be_left_out(method: str) -> None:
    shop = replace(SHOP, jobs=(*SHOP.jobs, replace(SHOP.jobs[0], name="late", due=3, firm=True, price=4)))
    solution = shop.solve("makespan", method=method, iterations=200)
    check(shop, solution.plan)
    assert shop.left_out(solution.plan) == ("late",)
    assert solution.values == (4, solution.plan.makespan)
    assert (solution.method, solution.bound <= 4) == (method, True)


@pytest.mark.parametrize("method", CONFIGURABLE)
def test_settings_may_name_every_method_that_takes_any_goal_and_a_deterministic_limit(method: str) -> None:
    assert parse(ScheduleSettings, {"method": method}).method == method
    plan = rich_shop().solve("weighted_tardiness", method=method, deterministic=0.1).plan
    if plan is not None:
        check(rich_shop(), plan)


def test_another_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match="unknown solver method 'genetics'; did you mean 'genetic'?"):
        SHOP.solve(method="genetics", iterations=1)
    with pytest.raises(Invalid, match="did you mean 'CP-SAT'?"):
        parse(ScheduleSettings, {"method": "CP-SAD"})
    with pytest.raises(Invalid, match="did you mean 'COVERT'?"):
        parse(ScheduleSettings, {"rules": ["COVER"]})
    with pytest.raises(InputError, match="unknown term 'makspan'; did you mean 'makespan'?"):
        Goal.of("makspan")


def test_a_method_that_cannot_refuses_the_question() -> None:
    with pytest.raises(InputError, match="the makespan alone"):
        SHOP.solve("tardiness", method="local search", iterations=10)


def test_a_rule_that_misses_a_firm_due_date_gives_the_reason() -> None:
    solution = single((9, 0, 20, 1), (2, 0, 3, 1), firm=True).solve("tardiness", method="LPT", iterations=1)
    assert (solution.status, solution.reason) == ("no plan", "LPT ends job b at 11, after its firm due date 3")


def test_every_solver_knows_every_term() -> None:
    assert set(SUMS) == {*TERMS, LEFT_OUT}
    assert set(KERNELS) == set(TERMS)
