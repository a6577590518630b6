import dataclasses
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from twinloop.contracts import Telemetry
from twinloop.errors import InputError

UNITS = {"power": "kW", "noise": "dB"}
START = "2026-03-01T06:00:00+01:00"


def rows(*values: tuple[Any, ...], sensors: tuple[str, ...] = ("power", "noise")) -> pl.DataFrame:
    return pl.DataFrame(list(values), schema=["asset", "time_min", *sensors], orient="row")


PRESS = rows(("press", 5.0, 4.0, None), ("press", 0.0, 3.0, 60.0))


def telemetry(*frames: pl.DataFrame, **changes: Any) -> Telemetry:
    return Telemetry.of(frames, **{"units": UNITS} | changes)


def test_rows_come_out_ordered_with_a_column_per_sensor() -> None:
    both = telemetry(rows(("saw", 1.0, 7.0, 50.0), ("drill", 2.0, 1.0, 2.0)), PRESS)
    assert both.frame.select("asset", "time_min").rows() == [("drill", 2), ("press", 0), ("press", 5), ("saw", 1)]
    assert both.assets == ("drill", "press", "saw")
    assert both.sensors == ("power", "noise")
    assert both.of_asset("press").to_dict(as_series=False) == {
        "time_min": [0.0, 5.0],
        "power": [3.0, 4.0],
        "noise": [60.0, None],
    }


def test_a_value_takes_four_bytes() -> None:
    frame = telemetry(PRESS).frame
    assert frame["power"].dtype == pl.Float32
    many = pl.DataFrame({"asset": ["press"] * 10_000, "time_min": range(10_000), "power": [1.0] * 10_000})
    assert telemetry(many).frame.select("asset", "time_min", "power").estimated_size() / 10_000 < 4 + 8 + 4 + 1


def test_values_that_are_not_finite_are_counted_as_missing() -> None:
    broken = rows(("press", 9.0, float("nan"), 50.0), ("press", 10.0, float("inf"), 50.0))
    assert telemetry(PRESS, broken).missing == 3
    assert len(telemetry(PRESS, broken)) == 4


def test_a_part_without_a_sensor_has_it_missing() -> None:
    part = rows(("saw", 0.0, 3.0), sensors=("power",))
    assert telemetry(PRESS, part).of_asset("saw")["noise"].to_list() == [None]


def test_saving_and_loading_changes_nothing(tmp_path: Path) -> None:
    for saved in (telemetry(PRESS, start=START), Telemetry.of([], units={}), telemetry(PRESS.clear())):
        saved.save(tmp_path / "telemetry.parquet")
        loaded = Telemetry.load(tmp_path / "telemetry.parquet")
        assert loaded.frame.equals(saved.frame)
        assert (loaded.units, loaded.start) == (saved.units, saved.start)


def test_a_record_cannot_be_changed_and_serves_as_a_key() -> None:
    record = telemetry(PRESS)
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.frame = PRESS  # type: ignore[misc]
    assert {record: 1}[record] == 1


def changed(**columns: Any) -> pl.DataFrame:
    return telemetry(PRESS).frame.with_columns(**columns)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (PRESS, "expected the columns asset Enum, time_min Float64, power Float32, noise Float32; got asset String"),
        (changed(other=pl.lit(1.0)), "expected the columns .* noise Float32; got .*, other Float64"),
        (telemetry(PRESS, PRESS.with_columns(asset=pl.lit("saw"))).frame.reverse(), "expected rows ordered by asset"),
        (changed(time_min=pl.Series([5.0, 0.0])), "expected rows ordered by asset and time_min: use Telemetry.of"),
        (
            changed(asset=pl.Series(["b", "a"], dtype=pl.Enum(["b", "a"]))),
            "expected rows ordered by asset and time_min: use Telemetry.of",
        ),
        (changed(time_min=pl.Series([2.5, 2.5])), r"press: expected one row per time, minute 2.5 comes twice \(1 such"),
        (changed(time_min=pl.Series([0.0, math.inf])), "expected time_min in every row; missing in 1"),
        (changed(time_min=pl.Series([0.0, None])), "expected time_min in every row; missing in 1"),
        (
            changed(asset=pl.Series([None, "press"], dtype=pl.Enum(["press"]))),
            "expected an asset in every row; missing in 1",
        ),
        (changed(power=pl.Series([math.nan, 1.0], dtype=pl.Float32)), "power: expected finite values, 1 are not: use"),
    ],
)
def test_rows_that_cannot_be_used_are_refused_in_one_line(frame: pl.DataFrame, expected: str) -> None:
    with pytest.raises(InputError, match=f"telemetry: {expected}") as caught:
        Telemetry(frame, UNITS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "changes", "expected"),
    [
        (pl.concat([PRESS, PRESS]), {}, r"press: expected one row per time, minute 0 comes twice \(2 such rows\)"),
        (PRESS.with_columns(speed=1.0), {}, "expected the columns asset, time_min, power, noise; got .*, speed: give"),
        (PRESS.drop("time_min"), {}, "expected the columns asset, time_min, power, noise; got asset, power, noise"),
        (PRESS.with_columns(power=pl.lit("high")), {}, "power: expected numbers, got String: convert or leave it out"),
        (PRESS, {"start": "2026-03-01T06:00:00"}, "start = '2026-03-01T06:00:00': expected ISO 8601 with its zone"),
        (PRESS, {"start": "yesterday"}, "start = 'yesterday': expected ISO 8601 with its zone"),
        (PRESS, {"units": {**UNITS, "": "kW"}}, "sensor '': expected a name and a text as its unit"),
    ],
)
def test_parts_that_make_no_record_are_refused_in_one_line(
    frame: pl.DataFrame, changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(InputError, match=f"telemetry: {expected}") as caught:
        telemetry(frame, **changes)
    assert "\n" not in str(caught.value)


def test_an_unknown_asset_is_named_with_those_that_are_there() -> None:
    with pytest.raises(InputError, match="no rows of asset 'saw'; known: press"):
        telemetry(PRESS).of_asset("saw")
    with pytest.raises(InputError, match="no rows of asset 'saw'; known: none"):
        Telemetry.of([], units={}).of_asset("saw")


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    PRESS.write_parquet(tmp_path / "old.parquet", metadata={"twinloop.telemetry": '{"version": 1}'})
    with pytest.raises(InputError, match="expected telemetry version 2, found 1: record the sensors again"):
        Telemetry.load(tmp_path / "old.parquet")
