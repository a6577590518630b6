"""Calendars: recurrences in UTC across daylight saving, and one line for all that cannot be known."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from twinloop.dialogue.datasets.calendars import read, read_calendar
from twinloop.dialogue.datasets.settings import CalendarSettings, CorpusSettings
from twinloop.dialogue.synthetic.person import person
from twinloop.dialogue.synthetic.settings import PersonSettings
from twinloop.errors import InputError

BERLIN = "TZID=Europe/Berlin"


def write(folder: Path, *events: str, head: str = "") -> Path:
    """A calendar of events, each its lines but for BEGIN, END and SUMMARY."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test", *([head] if head else [])]
    for number, event in enumerate(events):
        uid = [] if "UID:" in event else [f"UID:{number}"]
        lines += ["BEGIN:VEVENT", *uid, "SUMMARY:Review", *event.split("\n"), "END:VEVENT"]
    path = folder / "mine.ics"
    path.write_bytes("\r\n".join([*lines, "END:VCALENDAR", ""]).encode())
    return path


def events(path: Path, **settings: object) -> pl.DataFrame:
    return read([path], CorpusSettings(calendar=CalendarSettings(**settings))).events


def test_a_weekly_meeting_stays_at_its_hour_across_daylight_saving(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        f"DTSTART;{BERLIN}:20260316T090000\nDTEND;{BERLIN}:20260316T100000\nRRULE:FREQ=WEEKLY;COUNT=4\n"
        f"EXDATE;{BERLIN}:20260323T090000\nPRIORITY:2\nX-PREPARATION;VALUE=DURATION:PT45M",
    )
    found = events(path)
    # Clocks go forward on 29 March 2026: 9:00 is 8:00 UTC before, 7:00 after.
    assert found["start"].to_list() == [
        datetime(2026, 3, 16, 8, tzinfo=UTC),
        datetime(2026, 3, 30, 7, tzinfo=UTC),
        datetime(2026, 4, 6, 7, tzinfo=UTC),
    ]
    assert found["priority"].to_list() == [2, 2, 2]
    assert found["preparation_min"].to_list() == [45.0] * 3
    assert found["recurring"].all()
    assert found["event"].n_unique() == 3


def test_an_event_across_the_change_lasts_as_long_as_its_hours(tmp_path: Path) -> None:
    path = write(tmp_path, f"DTSTART;{BERLIN}:20260328T220000\nDTEND;{BERLIN}:20260329T060000")
    [row] = events(path).to_dicts()
    assert (row["end"] - row["start"]).total_seconds() == 7 * 3600


def test_a_whole_day_is_a_day_of_the_zone_and_a_duration_serves_as_an_end(tmp_path: Path) -> None:
    path = write(tmp_path, "DTSTART;VALUE=DATE:20260329", "DTSTART:20260601T120000Z\nDURATION:PT90M")
    found = events(path, zone="Europe/Berlin").to_dicts()
    assert found[0]["all_day"]
    assert found[0]["start"] == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert found[0]["end"] == datetime(2026, 3, 29, 22, tzinfo=UTC), "that day has 23 hours"
    assert found[1]["end"] == datetime(2026, 6, 1, 13, 30, tzinfo=UTC)


def test_one_of_several_is_moved_and_one_is_cancelled(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "UID:a\nDTSTART:20260105T090000Z\nDTEND:20260105T100000Z\nRRULE:FREQ=WEEKLY;UNTIL=20260119T090000Z",
        "UID:a\nRECURRENCE-ID:20260112T090000Z\nDTSTART:20260113T150000Z\nDTEND:20260113T153000Z",
        "UID:a\nRECURRENCE-ID:20260119T090000Z\nDTSTART:20260119T090000Z\nSTATUS:CANCELLED",
        "UID:b\nDTSTART:20260105T090000Z\nSTATUS:CANCELLED",
    )
    corpus = read([path], CorpusSettings())
    assert corpus.events["start"].dt.day().to_list() == [5, 13]
    assert corpus.left_out == {"event that was cancelled": 2}


def test_an_endless_recurrence_ends_with_the_last_day_that_is_set(tmp_path: Path) -> None:
    path = write(tmp_path, "DTSTART:20260101T090000Z\nDTEND:20260101T093000Z\nRRULE:FREQ=DAILY")
    with pytest.raises(InputError, match=r"'Review' recurs without an end: set CalendarSettings.until"):
        events(path)
    assert len(events(path, until="2026-01-31")) == 31
    with pytest.raises(InputError, match="recurs more than 10 times"):
        events(path, until="2026-01-31", most_events=10)


def test_a_fictional_calendar_is_read_and_its_overlaps_are_there(tmp_path: Path) -> None:
    path = tmp_path / "calendar.ics"
    someone = person(PersonSettings(), seed=5)
    path.write_bytes(someone.calendar)
    found = events(path, zone=someone.profile.zone, until="2026-12-31").sort("start")
    assert len(found) > 200
    assert (found["end"] > found["start"]).all()
    timed = found.filter(~pl.col("all_day"))
    assert (timed["start"].shift(-1) < timed["end"]).sum() > 40
    assert "Planning round, moved" in found["summary"]


def test_times_without_zone_take_the_one_that_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "DTSTART:20260701T090000\nDTEND:20260701T100000")
    with pytest.raises(InputError, match="has no zone: set CalendarSettings.zone"):
        events(path)
    assert events(path, zone="Europe/Berlin")["start"][0] == datetime(2026, 7, 1, 7, tzinfo=UTC)
    named = write(tmp_path, "DTSTART:20260701T090000\nDTEND:20260701T100000", head="X-WR-TIMEZONE:America/New_York")
    assert events(named)["start"][0] == datetime(2026, 7, 1, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("clock", "told", "standard"),
    [
        ("20260329T023000", "skips", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("20261025T023000", "shows twice", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_an_hour_that_the_clock_skips_or_repeats_is_asked_for(
    tmp_path: Path, clock: str, told: str, standard: datetime
) -> None:
    path = write(tmp_path, f"DTSTART;{BERLIN}:{clock}\nDURATION:PT1H")
    with pytest.raises(InputError, match=f"which the clock of Europe/Berlin {told}: correct it or set"):
        events(path)
    assert events(path, clock_change="standard")["start"][0] == standard


def test_a_recurrence_that_meets_the_skipped_hour_is_asked_for_too(tmp_path: Path) -> None:
    path = write(tmp_path, f"DTSTART;{BERLIN}:20260327T023000\nDURATION:PT30M\nRRULE:FREQ=DAILY;COUNT=5")
    with pytest.raises(InputError, match="2026-03-29 02:30"):
        events(path)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("DTSTART:20260101T100000Z\nDTEND:20260101T090000Z", "ends 2026-01-01 09:00 before it starts 2026-01-01 10:00"),
        ("DTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20260104", "ends 2026-01-04 before it starts 2026-01-05"),
        ("DTSTART:20260101T100000Z\nDURATION:-PT1H", "has a duration of"),
        ("DTSTART;TZID=Nowhere/Town:20260101T100000", "zone 'Nowhere/Town', which nobody knows"),
        ("DTSTART:2026", "has DTSTART that cannot be read (Expected datetime"),
        ("DTEND:20260101T100000Z", "has no DTSTART"),
        ("DTSTART:20260101T100000Z\nDTEND;VALUE=DATE:20260102", "starts at a time and ends on a day"),
        ("DTSTART:20260101T100000Z\nRRULE:FREQ=SECONDLY;COUNT=5", "recurs secondly: expected one of HOURLY"),
        ("DTSTART:20260101T100000Z\nRRULE:FREQ=DAILY;INTERVAL=0", "recurs at an interval of 0: expected one from 1 on"),
        ("DTSTART:20260101T100000Z\nPRIORITY:12", "has priority 12, expected 0"),
        ("RECURRENCE-ID;RANGE=THISANDFUTURE:20260101T100000Z\nUID:0\nDTSTART:20260101T100000Z", "RANGE"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path: Path, event: str, expected: str) -> None:
    path = write(tmp_path, "UID:0\nDTSTART:20250101T100000Z", event)
    with pytest.raises(InputError) as error:
        events(path, zone="UTC")
    assert expected in str(error.value)
    assert "mine.ics" in str(error.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"no calendar", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", b"\xff\xfe\x00", b"BEGIN:VEVENT\r\nEND:VEVENT\r\n"],
)
def test_what_is_no_calendar_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.ics"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"mine.ics: expected"):
        read_calendar(path, CorpusSettings())


def test_a_last_day_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="expected until as YYYY-MM-DD, found '31.12.2026'"):
        CalendarSettings(until="31.12.2026")


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("DTSTART:99991231T230000Z\nDURATION:P400D", "'Review' lies before the year 1 or after the year 9999"),
        ("DTSTART;VALUE=DATE:99991231", "lies before the year 1 or after the year 9999"),
        ("DTSTART;TZID=America/New_York:99991231T230000", "lies before the year 1 or after the year 9999"),
        (f"DTSTART;{BERLIN}:00010101T000000", "lies before the year 1 or after the year 9999"),
        ("DTSTART:20260101T090000Z\nX-PREPARATION:-PT5H", "has X-PREPARATION"),
        ("DTSTART:20260101T090000Z\nX-PREPARATION:half an hour", "give a duration such as PT30M"),
    ],
)
def test_times_that_no_calendar_holds_and_preparations_that_are_none_are_one_line(
    tmp_path: Path, event: str, reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        events(write(tmp_path, event), zone="UTC")


def test_a_preparation_is_read_without_the_kind_of_its_value(tmp_path: Path) -> None:
    path = write(tmp_path, "DTSTART:20260101T090000Z\nX-PREPARATION:PT45M")
    assert events(path)["preparation_min"].to_list() == [45.0]
