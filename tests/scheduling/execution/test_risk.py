import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scheduling.shops import rich_plan, rich_shop, single
from twinloop.scheduling.execution import execution
from twinloop.scheduling.execution.comparison import cvar
from twinloop.scheduling.execution.execution import CALM, Disruptions, replicate
from twinloop.scheduling.execution.risk import (
    LATE,
    MACHINES,
    SUMMARY,
    assess,
    cvar_difference,
    cvar_interval,
    cvar_terms,
)
from twinloop.scheduling.solvers.rules import dispatch

ROUGH = Disruptions({"saw": (30.0, 5.0), "mill": (20.0, 5.0)}, 0.2)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_the_terms_of_cvar_have_it_as_their_mean(values: list[float], tail: float) -> None:
    assert cvar_terms(values, tail=tail).mean() == pytest.approx(cvar(values, tail=tail))


def test_the_interval_of_cvar_covers_the_truth_as_often_as_it_says() -> None:
    # The worst tenth of an exponential of mean 1 has mean 1 + ln 10.
    rng, inside = np.random.default_rng(1), 0
    for _ in range(300):
        found = cvar_interval(rng.exponential(1.0, 400), tail=0.1)
        inside += found.low <= 1 + np.log(10) <= found.high
    assert 0.90 <= inside / 300 <= 0.99


def test_paired_differences_of_cvar_know_what_is_common() -> None:
    luck = np.random.default_rng(1).exponential(10.0, 200)
    found = cvar_difference(luck + 3, luck, tail=0.2)
    assert (found.low, found.mean, found.high) == pytest.approx((3, 3, 3))


def test_a_calm_day_is_as_planned() -> None:
    shop = rich_shop()
    found = assess(shop, {"plan": rich_plan()}, CALM, seed=1, replications=2)
    (row,) = found.summary.to_dicts()
    assert row["makespan_mean"] == row["makespan_cvar"] == row["planned_makespan"] == 24
    assert row["weighted_tardiness_mean"] == row["planned_weighted_tardiness"] == 0
    assert found.late["late"].to_list() == [0.0, 0.0]
    assert found.late["planned_end"].to_list() == [16, 19]


def test_all_tables_have_their_columns_and_sensible_values() -> None:
    shop = rich_shop()
    other = dispatch(shop, "EDD")
    assert other is not None
    found = assess(shop, {"hand": rich_plan(), "EDD": other}, ROUGH, seed=1, replications=40)
    assert found.summary.columns == list(SUMMARY)
    assert found.late.columns == list(LATE)
    assert found.machines.columns == list(MACHINES)
    assert found.replications.equals(
        replicate(shop, {"hand": rich_plan(), "EDD": other}, ROUGH, seed=1, replications=40).sort(
            "method", "replication", descending=[True, False]
        )
    )
    for method in ("hand", "EDD"):
        machines = found.machines.filter(method=method)
        assert machines["criticality"].sum() == pytest.approx(1)
        assert machines["share"].sum() == pytest.approx(1)
        assert found.critical(method) in shop.machines
    late = found.late.filter(job="shaft", method="hand").to_dicts()[0]
    assert late["late_low"] < late["late"] < late["late_high"]
    assert late["lateness_mean"] > 0


def test_the_only_machine_carries_every_critical_path() -> None:
    shop = single((30, 0, 50, 1), (10, 0, 15, 4))
    plan = dispatch(shop, "EDD")
    assert plan is not None
    found = assess(shop, {"plan": plan}, Disruptions({"mill": (60.0, 20.0)}), seed=1, replications=5)
    (row,) = found.machines.to_dicts()
    assert (row["criticality"], row["share"]) == (1.0, 1.0)


def test_workers_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "EXECUTIONS_PER_WORKER", 5)
    shop = single((30, 0, 50, 1), (10, 0, 15, 4))
    plan = dispatch(shop, "EDD")
    assert plan is not None
    one, two = (
        assess(shop, {"plan": plan}, Disruptions({"mill": (60.0, 20.0)}), seed=1, replications=10, workers=k)
        for k in (1, 2)
    )
    assert one.summary.equals(two.summary)
    assert one.machines.equals(two.machines)
