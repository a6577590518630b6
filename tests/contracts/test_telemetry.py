import dataclasses
from pathlib import Path

import polars as pl
import pytest

from twinloop.contracts import Telemetry
from twinloop.contracts.telemetry import SCHEMA
from twinloop.errors import InputError


def rows(*values: tuple[float | None, str | None, str | None, float, str | None]) -> pl.DataFrame:
    return pl.DataFrame(list(values), schema=["time_min", "asset", "sensor", "value", "unit"], orient="row")


PRESS = rows(
    (5.0, "press", "power", 4.0, "kW"), (0.0, "press", "power", 3.0, "kW"), (0.0, "press", "noise", 60.0, "dB")
)


def test_rows_come_out_ordered_and_wide() -> None:
    telemetry = Telemetry.of([PRESS])
    assert telemetry.frame["sensor"].to_list() == ["noise", "power", "power"]
    wide = telemetry.wide("press")
    assert wide["time_min"].to_list() == [0.0, 5.0]
    assert wide["power"].to_list() == [3.0, 4.0]
    assert wide["noise"].to_list() == [60.0, None]


def test_values_that_are_not_finite_are_counted_as_missing() -> None:
    broken = rows((9.0, "press", "power", float("nan"), "kW"), (10.0, "press", "power", float("inf"), "kW"))
    telemetry = Telemetry.of([PRESS, broken])
    assert telemetry.missing == 2
    assert len(telemetry) == 5


def test_saving_and_loading_changes_nothing(tmp_path: Path) -> None:
    for telemetry in (Telemetry.of([PRESS]), Telemetry.of([])):
        telemetry.save(tmp_path / "telemetry.parquet")
        assert Telemetry.load(tmp_path / "telemetry.parquet").frame.equals(telemetry.frame)


def test_assets_are_named_once_in_order_and_seen_apart() -> None:
    saw = rows((1.0, "saw", "power", 7.0, "kW"), (0.0, "saw", "power", 6.0, "kW"), (2.0, "drill", "noise", 50.0, "dB"))
    telemetry = Telemetry.of([PRESS, saw])
    assert telemetry.assets == ("drill", "press", "saw")
    assert telemetry.wide("saw").to_dict(as_series=False) == {"time_min": [0.0, 1.0], "power": [6.0, 7.0]}
    assert telemetry.missing == 0


def test_a_value_may_be_missing_and_two_assets_may_differ_in_unit() -> None:
    frame = rows(
        (0.0, "press", "power", 3.0, "kW"), (1.0, "press", "power", 4.0, "kW"), (0.0, "saw", "power", 9.0, "W")
    )
    telemetry = Telemetry(frame.with_columns(value=pl.when(pl.col("time_min") == 0).then(pl.col("value"))))
    assert telemetry.missing == 1


def test_a_record_cannot_be_changed_and_serves_as_a_key() -> None:
    telemetry = Telemetry.of([PRESS])
    with pytest.raises(dataclasses.FrozenInstanceError):
        telemetry.frame = PRESS  # type: ignore[misc]
    assert {telemetry: 1}[telemetry] == 1


def test_a_file_of_version_1_is_read(tmp_path: Path) -> None:
    frame = Telemetry.of([PRESS]).frame
    frame.write_parquet(tmp_path / "telemetry.parquet", metadata={"twinloop.telemetry": '{"version": 1}'})
    assert Telemetry.load(tmp_path / "telemetry.parquet").frame.equals(frame)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (rows((1.0, "press", "power", 4.0, "kW")).drop("unit"), "expected the columns time_min Float64"),
        (
            pl.concat([PRESS, PRESS]),
            r"press: .*: expected one value per time, minute [05] comes twice \(6 such rows\)",
        ),
        (
            rows((0.0, "press", "power", 3.0, "kW"), (1.0, "press", "power", 900.0, "W")),
            "press: power: expected one unit, got several",
        ),
        (
            rows(*((time, "saw", "power", 3.0, "kW") for time in (2.5, 9.0, 7.0, 2.5, 9.0))),
            r"saw: power: expected one value per time, minute 2.5 comes twice \(4 such rows\): drop the duplicates",
        ),
        (
            rows(
                (0.0, "saw", "power", 3.0, "kW"),
                (1.0, "saw", "power", 900.0, "W"),
                (0.0, "drill", "noise", 3.0, "dB"),
                (1.0, "drill", "noise", 3.0, "kW"),
            ),
            "drill: noise: expected one unit, got several: convert the values",
        ),
        (rows((float("nan"), "press", "power", 3.0, "kW")), "expected time_min in every row; missing in 1"),
        (
            rows(
                (1.0, "press", "power", 3.0, "kW"),
                (float("inf"), "press", "power", 3.0, "kW"),
                (None, "press", "power", 3.0, "kW"),
            ),
            "expected time_min in every row; missing in 2:",
        ),
        (rows((1.0, None, "power", 3.0, "kW")).cast(SCHEMA), "expected asset in every row; missing in 1:"),
        (rows((1.0, "press", None, 3.0, "kW")).cast(SCHEMA), "expected sensor in every row; missing in 1:"),
        (rows((1.0, "press", "power", 3.0, None)).cast(SCHEMA), "expected unit in every row; missing in 1:"),
        (PRESS, "expected rows ordered by asset, sensor, time_min: use Telemetry.of"),
    ],
)
def test_rows_that_cannot_be_used_are_refused_in_one_line(frame: pl.DataFrame, expected: str) -> None:
    with pytest.raises(InputError, match=f"telemetry: {expected}") as caught:
        Telemetry(frame)
    assert "\n" not in str(caught.value)


def test_an_unknown_asset_is_named_with_those_that_are_there() -> None:
    with pytest.raises(InputError, match="no rows of asset 'saw'; known: press"):
        Telemetry.of([PRESS]).wide("saw")
    with pytest.raises(InputError, match="no rows of asset 'saw'; known: none"):
        Telemetry.of([]).wide("saw")


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    PRESS.write_parquet(tmp_path / "old.parquet", metadata={"twinloop.telemetry": '{"version": 9}'})
    with pytest.raises(InputError, match="expected telemetry version 1, found 9: record the sensors again"):
        Telemetry.load(tmp_path / "old.parquet")
