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
    assert kinds.index(EventKind.STARVED) == 11
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


def test_an_event_is_no_larger_than_its_fields():
    assert not hasattr(Event(3.0, EventKind.DOWN, "press"), "__dict__")


def test_names_that_look_like_numbers_stay_names(tmp_path):
    (tmp_path / "plant.csv").write_text("time_min,event,entity,part\n1.5,enter,007,12\n")
    assert read_events(tmp_path / "plant.csv")[0].rows() == [(1.5, "enter", "007", 12, None, None)]


def test_a_time_in_minutes_goes_before_a_timestamp(tmp_path):
    (tmp_path / "plant.csv").write_text("time_min,timestamp,event,entity,part\n2.5,yesterday,enter,source,1\n")
    assert read_events(tmp_path / "plant.csv")[0]["time_min"].to_list() == [2.5]


def test_timestamps_as_text_become_minutes_since_the_first(tmp_path):
    stamps = ["2026-03-29T03:30:00+02:00", "2026-03-29T01:00:00+01:00", "2026-03-29T01:00:36+01:00"]
    rows = "".join(f"{stamp},starved,press,\n" for stamp in stamps)
    (tmp_path / "plant.csv").write_text(f"timestamp,event,entity,part\n{rows}")
    # The clocks went forward at two: one hour and a half lie between one and half past three.
    assert read_events(tmp_path / "plant.csv")[0]["time_min"].to_list() == pytest.approx([90.0, 0.0, 0.6])


def test_a_log_of_this_version_says_what_it_is(tmp_path):
    rows = pl.DataFrame({"time_min": [0.0], "event": ["enter"], "entity": ["source"], "part": [0]})
    rows.write_parquet(tmp_path / "log.parquet", metadata={"twinloop.events": "1", "author": "line"})
    assert read_events(tmp_path / "log.parquet")[1] == {"twinloop.events": "1"}


WHOLE = "time_min,event,entity,part\n0.5,enter,source,7\n"
BAD_FILES = {
    "word for a time": (
        WHOLE + "soon,ship,press,7\n",
        "row 2: expected time_min to be a number, got 'soon' (1 such rows)",
    ),
    "half a part": (
        WHOLE + "1.0,ship,press,7\n2.0,ship,press,7½\n3.0,ship,press,x\n",
        "row 3: expected part to be a whole number, got '7½' (2 such rows)",
    ),
    "first row": ("time_min,event,entity,part\n-,enter,source,7\n", "row 1: expected time_min to be a number, got '-'"),
    "no entity": (
        "time_min,event,part,note\n1,enter,7,x\n",
        "expected columns time_min, event, entity, part, condition, value (condition, value may be missing), "
        "found time_min, event, part, note: add entity",
    ),
    "no zone": (
        "timestamp,event,entity,part\n2026-03-01T06:00:00Z,enter,source,7\n2026-03-01T06:00:00,ship,press,7\n",
        "row 2: expected a timestamp with its zone, as 2026-03-01T06:00:00+01:00, got '2026-03-01T06:00:00'",
    ),
    "nothing": ("", "expected a Parquet or CSV file of events (empty CSV"),
}


@pytest.mark.parametrize(("text", "message"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_file_that_is_no_log_is_refused_in_one_line_with_its_place(tmp_path, text, message):
    (tmp_path / "plant.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        read_events(tmp_path / "plant.csv")
    assert str(caught.value).startswith(f"events: {tmp_path / 'plant.csv'}: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("metadata", "found"), [({"twinloop.events": "2"}, "events 2"), ({"twinloop.plan": "1"}, "plan 1")]
)
def test_a_file_of_another_kind_or_version_is_refused(tmp_path, metadata, found):
    pl.DataFrame({"time_min": [0.0]}).write_parquet(tmp_path / "other.parquet", metadata=metadata)
    with pytest.raises(InputError, match=f"expected events version 1, found {found}: write it again"):
        read_events(tmp_path / "other.parquet")


def test_a_table_without_columns_and_a_file_that_is_not_there_are_refused(tmp_path):
    pl.DataFrame().write_parquet(tmp_path / "empty.parquet")
    with pytest.raises(InputError, match="found none: add time_min, event, entity, part$"):
        read_events(tmp_path / "empty.parquet")
    with pytest.raises(InputError, match=r"gone\.csv: no such file: give the path of an event log"):
        read_events(tmp_path / "gone.csv")
    (tmp_path / "text.parquet").write_text("time_min\n")
    with pytest.raises(InputError, match=r"text\.parquet: expected a Parquet or CSV file of events \(\w+.*\)$"):
        read_events(tmp_path / "text.parquet")
