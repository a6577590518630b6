import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scheduling.shops import single
from twinloop.scheduling.execution.comparison import SCHEMA, compare, cvar
from twinloop.scheduling.execution.execution import REPLICATIONS, Disruptions, replicate
from twinloop.scheduling.planning import solve, solve_rule
from twinloop.scheduling.settings import ScheduleSettings

SHOP = single((30, 0, 50, 1), (10, 0, 15, 4), (25, 5, 60, 2))
SETTINGS = ScheduleSettings(method="CP-SAT", deterministic_limit=1.0, replications=30)
SOLUTIONS = [solve(SHOP, SETTINGS, seed=1), *(solve_rule(SHOP, rule, SETTINGS) for rule in SETTINGS.rules)]


def executed() -> pl.DataFrame:
    plans = {s.method: s.plan for s in SOLUTIONS if s.plan is not None}
    return replicate(SHOP, plans, Disruptions({"mill": (60.0, 20.0)}, 0.2), seed=1, replications=30)


def test_cvar_is_the_mean_of_the_worst_share() -> None:
    assert cvar(np.arange(1, 101), tail=0.1) == pytest.approx(95.5)
    assert cvar([7.0], tail=0.1) == 7.0


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.floats(0.01, 0.99))
def test_cvar_lies_between_mean_and_maximum(values: list[float], tail: float) -> None:
    assert np.mean(values) - 1e-6 <= cvar(values, tail=tail) <= max(values) + 1e-6


def test_every_method_has_a_row_and_the_chosen_one_comes_first() -> None:
    found = compare(SHOP, SOLUTIONS, executed(), SETTINGS)
    assert found.frame.columns == list(SCHEMA)
    assert found.frame["method"].to_list() == ["CP-SAT", *SETTINGS.rules]
    assert found.chosen["method"] == "CP-SAT"
    assert found.chosen["difference_mean"] is None
    assert (found.frame["gap"] >= 0).all()
    assert (found.frame["tardiness_cvar"] >= found.frame["tardiness_mean"]).all()


def test_the_gain_is_the_paired_difference_to_the_best_rule() -> None:
    executions = executed()
    found = compare(SHOP, SOLUTIONS, executions, SETTINGS)
    means = {
        method: executions.filter(pl.col("method") == method)["weighted_tardiness"].mean() for method in SETTINGS.rules
    }
    best = min(means, key=lambda method: means[method])  # type: ignore[arg-type, return-value]
    assert found.best_rule == best
    assert found.gain is not None
    row = found.frame.row(by_predicate=pl.col("method") == best, named=True)
    assert found.gain.mean == row["difference_mean"] == pytest.approx(means[best] - found.chosen["tardiness_mean"])
    assert found.gain.low <= found.gain.mean <= found.gain.high


def test_a_method_without_a_plan_keeps_its_row_and_reason() -> None:
    firm = single((30, 0, 50, 1), (10, 0, 15, 4), firm=True)
    settings = ScheduleSettings(method="CP-SAT", deterministic_limit=1.0, rules=("LPT",))
    solutions = [solve(firm, settings, seed=1), solve_rule(firm, "LPT", settings)]
    plan = solutions[0].plan
    assert plan is not None
    executions = replicate(firm, {"CP-SAT": plan}, Disruptions({}), seed=1, replications=2)
    found = compare(firm, solutions, executions, settings)
    row = found.frame.row(1, named=True)
    assert (row["status"], row["planned_makespan"], row["tardiness_mean"]) == ("no plan", None, None)
    assert row["reason"] == "LPT ends job b at 40, after its firm due date 15"
    assert found.best_rule is None
    assert found.gain is None


def test_the_makespan_is_compared_where_it_is_the_objective() -> None:
    settings = ScheduleSettings(method="CP-SAT", objective="makespan", rules=("SPT",), deterministic_limit=1.0)
    solutions = [solve(SHOP, settings, seed=1), solve_rule(SHOP, "SPT", settings)]
    rows = [("CP-SAT", 0, 10.0, 5.0), ("CP-SAT", 1, 12.0, 5.0), ("SPT", 0, 15.0, 0.0), ("SPT", 1, 16.0, 0.0)]
    found = compare(SHOP, solutions, pl.DataFrame(rows, schema=REPLICATIONS, orient="row"), settings)
    assert found.gain is not None
    assert found.gain.mean == 4.5
