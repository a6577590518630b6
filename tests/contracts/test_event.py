import polars as pl
import pytest

from twinloop.contracts import Event, EventKind
from twinloop.contracts.event import SCHEMA, read_events
from twinloop.errors import InputError


def test_an_event_says_no_more_than_is_known():
    event = Event(3.0, EventKind.WARNING, "press", value=0.4)
    assert (event.part, event.condition, event.value) == (None, None, 0.4)
    assert event.kind == "warning"
    with pytest.raises(AttributeError):
        event.value = 0.5  # type: ignore[misc]


def test_states_of_machines_follow_the_steps_of_parts():
    kinds = list(EventKind)
    assert kinds.index(EventKind.STARVED) == 9
    assert [kind.value for kind in kinds[:3]] == ["enter", "ship", "scrap"]


def test_columns_that_may_be_missing_are_null_and_others_are_left_out(tmp_path):
    (tmp_path / "plant.csv").write_text("part,entity,event,time_min,operator\n7,source,enter,0.5,Ann\n")
    frame, about = read_events(tmp_path / "plant.csv")
    assert about == {}
    assert frame.schema == SCHEMA
    assert frame.rows() == [(0.5, "enter", "source", 7, None, None)]


def test_parquet_with_other_number_types_is_read(tmp_path):
    pl.DataFrame(
        {"time_min": [1], "event": ["enter"], "entity": ["source"], "part": pl.Series([3], dtype=pl.UInt8)}
    ).write_parquet(tmp_path / "plant.parquet")
    frame, _ = read_events(tmp_path / "plant.parquet")
    assert frame.schema == SCHEMA
    assert frame["time_min"].to_list() == [1.0]


def test_a_zoned_datetime_becomes_minutes(tmp_path):
    stamps = pl.Series(["2026-03-01T06:00:00+01:00", "2026-03-01T05:01:30Z"]).str.to_datetime(time_zone="Europe/Berlin")
    frame = pl.DataFrame({"timestamp": stamps, "event": "starved", "entity": "press", "part": None})
    frame.write_parquet(tmp_path / "plant.parquet")
    assert read_events(tmp_path / "plant.parquet")[0]["time_min"].to_list() == [0.0, 1.5]
    frame.with_columns(pl.col("timestamp").dt.replace_time_zone(None)).write_parquet(tmp_path / "naive.parquet")
    with pytest.raises(InputError, match="expected a timestamp with its zone, .* found Datetime"):
        read_events(tmp_path / "naive.parquet")
