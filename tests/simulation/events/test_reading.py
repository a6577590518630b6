"""Logs of real plants: written by hand, out of order, twice, and wrong."""

from pathlib import Path

import polars as pl
import pytest

from tests.simulation.lines import PERFECT, fixed, log_of, serial_line
from twinloop.contracts import Plan
from twinloop.errors import InputError
from twinloop.simulation import Economy, Line, Station
from twinloop.simulation.events.kpi import kpis
from twinloop.simulation.events.log import EventLog
from twinloop.simulation.events.mirror import replay

LINE = Line(minutes_per_day=100.0, stations=(Station(name="press", cycle=fixed(30.0)),), inspection=PERFECT)
HEAD = "time_min,event,entity,part,condition\n"
# The log of test_kpi.py with the plant's own part numbers: one part good and shipped, one scrapped.
PLANT = """0,enter,source,501,good
0,running,press,501,
30,ship,press,501,good
30,starved,press,,
40,enter,source,77,crack
40,running,press,77,
50,down,press,77,
60,running,press,77,
80,scrap,press,77,crack
80,starved,press,,
"""
FIGURES = {"oee": 0.3, "quality": 0.5, "wip": 0.7, "cycle_time_min": 35.0, "throughput_per_day": 1.0, "escape_ppm": 0.0}


def plant_log(folder: Path, text: str, **options: object) -> EventLog:
    path = folder / "plant.csv"
    path.write_text(text, encoding="utf-8")
    return EventLog.load(path, line=LINE, **options)


def test_a_log_written_by_hand_gives_the_key_figures_worked_out_by_hand(tmp_path):
    log = plant_log(tmp_path, HEAD + PLANT, horizon=100.0)
    assert (log.horizon, log.numbers, log.classes) == (100.0, (501, 77), ("good", "crack"))
    figures, minutes = kpis(log, LINE, Economy(), start=0.0)
    assert {name: figures[name] for name in FIGURES} == pytest.approx(FIGURES, rel=1e-12)
    assert minutes[1][:5].tolist() == [30.0, 60.0, 0.0, 0.0, 10.0]


def test_rows_out_of_order_and_twice_are_mended_and_said(tmp_path):
    rows = PLANT.splitlines(keepends=True)
    log = plant_log(tmp_path, HEAD + "".join(rows[5:] + rows[:5] + rows[:2]), horizon=100.0)
    assert log.notes == (
        "2 of 12 rows came twice and were left out",
        "rows were not in the order of time and were sorted",
    )
    figures, _ = kpis(log, LINE, Economy(), start=0.0)
    assert {name: figures[name] for name in FIGURES} == pytest.approx(FIGURES, rel=1e-12)


def test_a_plant_that_does_not_tell_the_class_has_no_known_escapes(tmp_path):
    text = "".join(line.rsplit(",", 1)[0] + "\n" for line in (HEAD + PLANT).splitlines())
    log = plant_log(tmp_path, text, horizon=100.0)
    figures, _ = kpis(log, LINE, Economy(), start=0.0)
    assert (figures["escape_ppm"], figures["quality"], figures["good_scrapped_per_day"]) == (0.0, 0.5, 0.0)
    state = replay(log, LINE, at=55.0)
    assert (state["press"].state, state["press"].part, state.parts[77].condition) == ("down", 77, None)


def test_timestamps_of_several_zones_become_minutes(tmp_path):
    head = HEAD.replace("time_min", "timestamp")
    rows = (
        "2026-10-25T02:50:00+02:00,enter,source,1,good\n"
        "2026-10-25T02:10:00+01:00,running,press,1,\n"  # the hour that comes twice
        "2026-10-25T01:40:00Z,ship,press,1,good\n"
    )
    assert plant_log(tmp_path, head + rows).time.tolist() == [0.0, 20.0, 50.0]


def test_parquet_of_a_plant_is_read_as_well(tmp_path):
    text = HEAD + PLANT
    log = plant_log(tmp_path, text)
    frame = pl.read_csv(tmp_path / "plant.csv")
    frame.write_parquet(tmp_path / "plant.parquet")
    assert EventLog.load(tmp_path / "plant.parquet", line=LINE).frame().equals(log.frame())
    assert EventLog.load(tmp_path / "plant.parquet").entities == ("source", "press")


BAD = {
    "an unknown event": (PLANT.replace("down", "dwn"), r"row 7: event: unknown name 'dwn'; did you mean 'down'"),
    "an unknown machine": (
        PLANT.replace("30,starved,press", "30,starved,pres"),
        r"row 4: entity: unknown name 'pres'; did you mean 'press'",
    ),
    "a negative time": (PLANT.replace("40,enter", "-40,enter"), r"row 5: expected time_min ≥ 0, got -40.0"),
    "a time that is none": (
        PLANT.replace("40,enter", "soon,enter"),
        r"row 5: expected time_min to be a number, got 'soon'",
    ),
    "a time not told": (PLANT.replace("40,enter", ",enter"), r"row 5: expected time_min ≥ 0, got None"),
    "an infinite time": (PLANT.replace("80,starved", "inf,starved"), r"row 10: expected time_min ≥ 0, got inf"),
    "half a part": (PLANT.replace("source,77", "source,7.5"), r"row 5: expected part to be a whole number, got '7.5'"),
    "no part": (PLANT.replace("ship,press,501", "ship,press,"), r"row 3: expected a part for enter, ship"),
    "no event": (PLANT.replace("40,enter", "40,"), r"row 5: expected event to be named, got None"),
    "a part from nowhere": (
        PLANT.replace("40,enter,source,77", "40,enter,source,78"),
        r"row 6: part 77 never enters: give it an enter row, at minute 0 if it was there already \(4 such rows\)",
    ),
    "a part that enters twice": (PLANT + "90,enter,source,77,good\n", r"row 11: part 77 enters a second time"),
    "a part that leaves twice": (PLANT + "90,ship,press,77,good\n", r"row 11: part 77 leaves a second time"),
    "a part that leaves first": (
        PLANT.replace("40,enter,source,77", "85,enter,source,77"),
        r"row 9: part 77 moves before",
    ),
    "a source that breaks": (
        PLANT.replace("50,down,press", "50,down,source"),
        r"row 7: expected a machine as the entity",
    ),
    "no rows": ("", "expected events, found no rows"),
}


@pytest.mark.parametrize("name", BAD)
def test_rows_that_cannot_be_true_are_refused_with_their_number(name, tmp_path):
    rows, message = BAD[name]
    with pytest.raises(InputError, match=message) as caught:
        plant_log(tmp_path, HEAD + rows)
    assert "\n" not in str(caught.value)
    assert "plant.csv" in str(caught.value)


def test_missing_columns_are_named(tmp_path):
    with pytest.raises(
        InputError, match=r"expected columns time_min, event, .*, found time, event, entity: add time_min, part"
    ):
        plant_log(tmp_path, "time,event,entity\n0,enter,source\n")


def test_a_timestamp_without_a_zone_is_refused(tmp_path):
    text = HEAD.replace("time_min", "timestamp") + "2026-10-25T02:10:00,enter,source,1,good\n"
    with pytest.raises(InputError, match=r"row 1: expected a timestamp with its zone, as 2026-03-01T06:00:00\+01:00"):
        plant_log(tmp_path, text)


def test_another_kind_or_version_of_file_is_refused(tmp_path):
    Plan(()).save(tmp_path / "plan.parquet")
    with pytest.raises(InputError, match=r"plan\.parquet: expected events version 1, found plan 1"):
        EventLog.load(tmp_path / "plan.parquet")
    plant_log(tmp_path, HEAD + PLANT).frame().write_parquet(tmp_path / "new.parquet", metadata={"twinloop.events": "9"})
    with pytest.raises(InputError, match="expected events version 1, found events 9: write it again"):
        EventLog.load(tmp_path / "new.parquet")
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(InputError, match="expected a Parquet or CSV file of events"):
        EventLog.load(tmp_path / "text.parquet")
    with pytest.raises(InputError, match=r"none\.parquet: no such file"):
        EventLog.load(tmp_path / "none.parquet")


def test_a_saved_log_of_another_line_is_refused(tmp_path):
    log_of(serial_line(2, buffer=1), minutes=50.0).save(tmp_path / "events.parquet")
    with pytest.raises(InputError, match="the log is of machines m1, m2, the line line has press: give the line"):
        EventLog.load(tmp_path / "events.parquet", line=LINE)


def test_key_figures_refuse_a_log_whose_machines_are_not_in_the_lines_order(tmp_path):
    path = tmp_path / "plant.csv"
    path.write_text(HEAD + "0,enter,source,1,good\n0,running,m2,1,\n1,ship,m1,1,good\n")
    with pytest.raises(InputError, match="the log is of m2, m1, serial has m1, m2: load it with its line"):
        kpis(EventLog.load(path), serial_line(2, buffer=1), Economy(), start=0.0)


def test_a_horizon_before_the_last_row_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"horizon 70: expected a minute from the last row's 80 on"):
        plant_log(tmp_path, HEAD + PLANT, horizon=70.0)
