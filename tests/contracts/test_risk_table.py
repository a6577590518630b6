import dataclasses
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.contracts import Plan, Risk, RiskTable
from twinloop.errors import InputError


def risk(**changes: object) -> Risk:
    fields: dict[str, object] = {
        "asset": "press",
        "component": "spindle",
        "horizon_hours": 100.0,
        "probability": 0.3,
        "low": 0.2,
        "high": 0.4,
        "severity": 7,
        "cost": 500.0,
    }
    return Risk(**{**fields, **changes})  # type: ignore[arg-type]


def test_failures_of_all_components_add_up_and_cost_what_each_costs() -> None:
    table = RiskTable.of([risk(), risk(component="belt", probability=0.2, low=0.1, cost=50.0)])
    failures, cost = table.failures("press", hours=100.0)
    assert failures == pytest.approx(-math.log(0.7) - math.log(0.8))
    assert cost == pytest.approx(-500 * math.log(0.7) - 50 * math.log(0.8))
    assert table.failures("press", hours=50.0)[0] == pytest.approx(failures / 2)


def test_the_hazard_is_linear_between_horizons_and_goes_on_beyond_the_last() -> None:
    table = RiskTable.of(
        risk(horizon_hours=hours, probability=1 - math.exp(-hazard), low=0.0, high=1.0, cost=1000.0)
        for hours, hazard in ((2.0, 0.2), (4.0, 0.8))
    )
    counts = [table.failures("press", hours=hours)[0] for hours in (0.0, 1.0, 2.0, 3.0, 4.0, 6.0)]
    assert counts == pytest.approx([0, 0.1, 0.2, 0.5, 0.8, 1.4])
    assert table.failures("press", hours=3.0)[1] == pytest.approx(500)
    [hazard] = table.components("press").values()
    assert hazard.until([1.0, 6.0]) == pytest.approx([0.1, 1.4])


def test_a_longer_horizon_with_a_smaller_estimate_does_not_make_the_hazard_fall() -> None:
    table = RiskTable.of([risk(horizon_hours=1.0, probability=0.5, high=0.5), risk(horizon_hours=2.0, probability=0.4)])
    assert table.failures("press", hours=2.0)[0] == pytest.approx(math.log(2))
    assert table.failures("press", hours=9.0)[0] == pytest.approx(math.log(2))


def test_only_the_assets_own_rows_count() -> None:
    table = RiskTable.of([risk(), risk(asset="saw", probability=0.25, cost=8.0)])
    assert table.failures("press", hours=100.0) == pytest.approx((-math.log(0.7), -500 * math.log(0.7)))
    assert table.failures("saw", hours=100.0) == pytest.approx((-math.log(0.75), -8 * math.log(0.75)))


def test_a_certain_failure_counts_about_twenty_times_within_its_horizon() -> None:
    table = RiskTable.of([risk(probability=1.0, high=1.0)])
    assert table.failures("press", hours=100.0)[0] == pytest.approx(-math.log(1e-9))


def test_rows_are_ordered_by_asset_component_and_horizon() -> None:
    ordered = [
        risk(component="belt", horizon_hours=900.0),
        risk(horizon_hours=20.0),
        risk(horizon_hours=100.0),
        risk(asset="saw", component="axle"),
    ]
    table = RiskTable.of(reversed(ordered))
    assert list(table) == ordered
    assert len(table) == 4
    assert table.assets == ("press", "saw")
    assert table.frame["horizon_hours"].to_list() == [900.0, 20.0, 100.0, 100.0]


def test_a_table_cannot_be_changed() -> None:
    for name in ("frame", "issued_min", "clock"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(RiskTable.of([]), name, 0)


def test_a_table_says_when_it_was_issued_and_by_which_clock(tmp_path: Path) -> None:
    table = RiskTable.of([risk()], issued_min=720.0, clock="calendar")
    table.save(tmp_path / "risks.parquet")
    loaded = RiskTable.load(tmp_path / "risks.parquet")
    assert (loaded.issued_min, loaded.clock) == (720.0, "calendar")
    assert (RiskTable.of([]).issued_min, RiskTable.of([]).clock) == (0.0, "work")


@pytest.mark.parametrize(
    "changes",
    [
        {"low": 0.3, "high": 0.3},
        {"low": 0.0, "probability": 0.0},
        {"probability": 1.0, "high": 1.0},
        {"severity": 1},
        {"severity": 10},
        {"cost": 0.0},
        {"horizon_hours": 0.5},
    ],
)
def test_a_risk_at_the_edge_of_what_can_be_is_taken(changes: dict[str, object]) -> None:
    assert list(RiskTable.of([risk(**changes)])) == [risk()._replace(**changes)]


def test_a_file_of_version_2_is_read(tmp_path: Path) -> None:
    header = {"twinloop.risk_table": '{"version": 2, "issued_min": 3.0, "clock": "work"}'}
    RiskTable.of([risk()]).frame.write_parquet(tmp_path / "risks.parquet", metadata=header)
    assert list(RiskTable.load(tmp_path / "risks.parquet")) == [risk()]


def test_a_frame_in_any_order_makes_the_same_table() -> None:
    table = RiskTable.of([risk(asset="saw"), risk()])
    assert RiskTable.of(table.frame.reverse()).frame.equals(table.frame)


@given(st.floats(0.0, 1.0), st.floats(1.0, 1e4))
def test_expected_failures_are_finite_and_not_negative(probability: float, hours: float) -> None:
    table = RiskTable.of([risk(probability=probability, low=0.0, high=1.0)])
    failures, cost = table.failures("press", hours=hours)
    assert 0 <= failures < math.inf
    assert cost == pytest.approx(500 * failures)


def test_saving_and_loading_changes_nothing(tmp_path: Path) -> None:
    for table in (RiskTable.of([risk(asset="saw"), risk()]), RiskTable.of([])):
        table.save(tmp_path / "risks.parquet")
        assert RiskTable.load(tmp_path / "risks.parquet").frame.equals(table.frame)
    assert RiskTable.of([risk(asset="saw"), risk()]).assets == ("press", "saw")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"probability": 1.2, "high": 1.3}, "0 ≤ low ≤ probability ≤ high ≤ 1"),
        ({"probability": 0.1}, "0 ≤ low ≤ probability ≤ high ≤ 1"),
        ({"probability": math.nan}, "0 ≤ low ≤ probability ≤ high ≤ 1"),
        ({"horizon_hours": 0.0}, "horizon_hours > 0"),
        ({"low": 0.35}, "0 ≤ low ≤ probability ≤ high ≤ 1"),
        ({"high": 0.25}, "0 ≤ low ≤ probability ≤ high ≤ 1"),
        ({"low": -0.5}, "0 ≤ low ≤ probability ≤ high ≤ 1"),
        ({"high": 1.5}, "0 ≤ low ≤ probability ≤ high ≤ 1"),
        ({"horizon_hours": math.inf}, "horizon_hours > 0"),
        ({"severity": 0}, "severity from 1 to 10"),
        ({"severity": 11}, "severity from 1 to 10"),
        ({"cost": -0.5}, "cost ≥ 0"),
        ({"cost": math.inf}, "cost ≥ 0"),
        ({"cost": -1.0}, "cost ≥ 0"),
    ],
)
def test_a_risk_that_cannot_be_is_refused_in_one_line(changes: dict[str, object], expected: str) -> None:
    with pytest.raises(InputError, match=f"risk table: press/spindle: expected {expected}, got ") as caught:
        RiskTable.of([risk(component="belt"), risk(**changes)])
    assert "\n" not in str(caught.value)


def test_two_rows_of_one_horizon_are_refused() -> None:
    with pytest.raises(InputError, match="press/spindle: expected one row per horizon, 100 h comes twice"):
        RiskTable.of([risk(), risk(probability=0.25)])
    with pytest.raises(InputError, match="press/belt: expected one row per horizon, 20 h comes twice"):
        RiskTable.of([risk(asset="saw"), risk(component="belt", horizon_hours=20.0)] * 2)


def test_a_refused_risk_shows_all_its_values() -> None:
    with pytest.raises(InputError) as caught:
        RiskTable.of([risk(horizon_hours=0.0, severity=0)])
    assert str(caught.value) == (
        "risk table: press/spindle: expected horizon_hours > 0 and severity from 1 to 10, got horizon_hours = 0.0, "
        "probability = 0.3, low = 0.2, high = 0.4, severity = 0, cost = 500.0"
    )


def test_an_asset_that_the_table_lacks_is_refused_with_those_it_has() -> None:
    with pytest.raises(InputError, match=r"no row for asset 'saw' \(known: press\)"):
        RiskTable.of([risk()]).failures("saw", hours=10.0)
    with pytest.raises(InputError, match=r"no row for asset 'saw' \(known: none\)"):
        RiskTable.of([]).failures("saw", hours=10.0)


def test_another_contract_is_refused(tmp_path: Path) -> None:
    Plan.of([]).save(tmp_path / "plan.parquet")
    with pytest.raises(InputError, match="expected risk table version 2, found None: make the risk table again"):
        RiskTable.load(tmp_path / "plan.parquet")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cost": 60.0}, "press/spindle: expected one cost of a failure, got 2"),
        ({"severity": 8}, "press/spindle: expected one severity of a failure, got 2"),
    ],
)
def test_cost_and_severity_belong_to_the_failure_not_to_the_horizon(changes: dict[str, object], expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        RiskTable.of([risk(), risk(horizon_hours=200.0, **changes)])


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda frame: RiskTable(frame.reverse()), "expected rows ordered by asset, component, horizon_hours"),
        (lambda frame: RiskTable(frame.drop("cost")), "expected the columns asset, component, .*; got asset String"),
        (
            lambda frame: RiskTable(frame.with_columns(low=pl.lit(None, pl.Float64))),
            "expected low in every row: fill in",
        ),
        (lambda frame: RiskTable(frame, issued_min=math.nan), "issued_min = nan: expected a number of minutes"),
        (lambda frame: RiskTable(frame, clock="hours"), "expected clock = work or calendar, got 'hours'"),
    ],
)
def test_a_table_that_cannot_be_read_rightly_is_refused(make: Any, expected: str) -> None:
    with pytest.raises(InputError, match=f"risk table: {expected}"):
        make(RiskTable.of([risk(), risk(asset="saw")]).frame)
