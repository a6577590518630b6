from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.shops import shops, single, tardiness
from twinloop.scheduling.bounds import lower_bound
from twinloop.scheduling.checker import check
from twinloop.scheduling.planning import best_rule, solve
from twinloop.scheduling.problem import JobShop
from twinloop.scheduling.settings import Objective, ScheduleSettings

METHODS = ("auto", "CP-SAT", "CP-SAT LNS", "SPT", "LPT", "FIFO", "EDD", "MWKR", "ATC")


@settings(max_examples=30, deadline=None)
@given(shops(), st.sampled_from(METHODS), st.sampled_from(["makespan", "weighted_tardiness"]))
def test_every_method_answers_with_a_checked_plan_and_honest_figures(
    shop: JobShop, method: str, objective: Objective
) -> None:
    configured = ScheduleSettings(method=method, objective=objective, deterministic_limit=0.5)
    found = solve(shop, configured, seed=1)
    assert found.method == method
    assert found.plan is not None
    assert found.objective is not None
    check(shop, found.plan)
    assert found.objective == (found.plan.makespan if objective == "makespan" else tardiness(shop, found.plan))
    assert lower_bound(shop, objective) <= found.bound <= found.objective
    assert (found.status == "optimal") == (found.bound == found.objective)


@settings(max_examples=20, deadline=None)
@given(shops())
def test_cpsat_is_never_worse_than_the_best_rule(shop: JobShop) -> None:
    configured = ScheduleSettings(deterministic_limit=0.2)
    rule, found = best_rule(shop, configured), solve(shop, configured, seed=1)
    assert found.objective is not None
    assert rule.objective is not None
    assert found.objective <= rule.objective


def test_a_rule_that_misses_a_firm_due_date_has_no_plan() -> None:
    shop = single((9, 0, 20, 1), (2, 0, 3, 1), firm=True)
    found = solve(shop, ScheduleSettings(method="LPT"), seed=1)
    assert (found.status, found.plan) == ("no plan", None)
    assert found.reason == "LPT ends job b at 11, after its firm due date 3"
    assert solve(shop, ScheduleSettings(method="SPT"), seed=1).status == "optimal"


def test_cpsat_keeps_firm_due_dates_that_every_rule_misses() -> None:
    # Waiting for b, which comes at 1, is what no non-delay rule does.
    shop = single((10, 0, 20, 1), (2, 1, 4, 1), firm=True)
    assert best_rule(shop, ScheduleSettings()).plan is None
    found = solve(shop, ScheduleSettings(), seed=1)
    assert found.plan is not None
    check(shop, found.plan)
    assert [a.job for a in found.plan] == ["b", "a"]
