"""Meetings: the worthiest of those that overlap are attended, prepared for in time, and the others say why not."""

import itertools
from bisect import bisect_right
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.dialogue.datasets.calendars import read
from twinloop.dialogue.datasets.settings import CalendarSettings, CorpusSettings
from twinloop.errors import InputError
from twinloop.twins.person.appointments import Attendance, Event, attend, events_of

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)


def event(meeting: str, start: float, end: float, priority: int = 1, preparation_min: int = 0) -> Event:
    """Hours from NOW on."""
    return Event(meeting, NOW + timedelta(hours=start), NOW + timedelta(hours=end), priority, preparation_min)


def attended(attendance: Attendance) -> set[str]:
    return set(attendance.table.filter(attendance.table["attended"])["meeting"])


def because(attendance: Attendance, meeting: str) -> str:
    (reason,) = attendance.table.filter(attendance.table["meeting"] == meeting)["because"]
    return str(reason)


def most_worth(events: list[Event]) -> int:
    """Weighted interval scheduling by dynamic programming (Kleinberg and Tardos 2005, 6.1)."""
    by_end = sorted(events, key=lambda event: event.end)
    ends, best = [event.end for event in by_end], [0]
    for number, one in enumerate(by_end):
        before = bisect_right(ends, one.start, hi=number)
        best.append(max(best[-1], best[before] + one.priority))
    return best[-1]


spans = st.tuples(st.integers(0, 16), st.integers(1, 6), st.integers(0, 9))


@settings(max_examples=20)
@given(st.lists(spans, min_size=1, max_size=7))
def test_one_twin_attends_what_weighted_interval_scheduling_does(rows: list[tuple[int, int, int]]) -> None:
    events = [event(f"m{k}", start / 4, (start + length) / 4, worth) for k, (start, length, worth) in enumerate(rows)]
    attendance = attend(events, now=NOW)
    assert sum(one.priority for one in events) - attendance.missed == most_worth(events)
    assert attendance.solution is not None
    assert attendance.solution.status == "optimal"


@settings(max_examples=10)
@given(st.lists(spans, min_size=3, max_size=6), st.integers(1, 3))
def test_copies_are_never_in_two_meetings_at_once(rows: list[tuple[int, int, int]], copies: int) -> None:
    events = [
        event(f"m{k}", 1 + start / 4, 1 + (start + length) / 4, worth, 15 * (k % 3))
        for k, (start, length, worth) in enumerate(rows)
    ]
    table = attend(events, now=NOW, copies=copies, fresh_min=60).table
    busy: dict[int, list[tuple[datetime, datetime]]] = {copy: [] for copy in range(1, copies + 1)}
    for row in table.filter(table["attended"]).iter_rows(named=True):
        busy[row["copy"]].append((row["start"], row["end"]))
        if row["prepared_by"] is not None:
            busy[row["prepared_by"]].append((row["prepared_from"], row["prepared_until"]))
            assert timedelta(0) <= row["start"] - row["prepared_until"] <= timedelta(minutes=60)
    for own in busy.values():
        assert all(before[1] <= behind[0] for before, behind in itertools.pairwise(sorted(own)))


def test_what_is_missed_says_what_overlaps() -> None:
    attendance = attend([event("budget", 1, 2, 5), event("lunch", 1.5, 2.5, 1)], now=NOW)
    assert attended(attendance) == {"budget"}
    assert because(attendance, "lunch") == "the twin is taken by budget between Tue 1 Dec 09:30 and Tue 1 Dec 10:30"
    assert attendance.missed == 1


def test_another_event_of_the_same_meeting_is_attended_instead() -> None:
    talk = [event("talk", 1, 2, 3), event("talk", 4, 5.5, 3)]
    attendance = attend([event("budget", 1, 2, 5), *talk], now=NOW)
    assert attended(attendance) == {"budget", "talk"}
    assert attendance.table.filter(attendance.table["meeting"] == "talk")["start"][0] == talk[1].start
    assert attended(attend([event("budget", 1, 2, 5), talk[0]], now=NOW, copies=2)) == {"budget", "talk"}


def test_preparation_has_to_fit_before_the_meeting() -> None:
    board = event("board", 2, 3, 5, preparation_min=90)
    assert attended(attend([board], now=NOW)) == {"board"}
    assert attended(attend([board, event("budget", 0.5, 1.5, 9)], now=NOW)) == {"budget"}
    late = attend([replace(board, preparation_min=150)], now=NOW)
    assert because(late, "board").startswith("even alone")


def test_a_preparation_does_not_get_stale() -> None:
    events = [event("board", 4, 5, 5, preparation_min=30), event("workshop", 1, 4, 9)]
    assert attended(attend(events, now=NOW, fresh_min=240)) == {"board", "workshop"}
    assert attended(attend(events, now=NOW, fresh_min=60)) == {"workshop"}


def test_a_night_of_changed_clocks_has_an_hour_less() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    short = Event("watch", datetime(2027, 3, 28, 1, tzinfo=berlin), datetime(2027, 3, 28, 4, tzinfo=berlin), 2)
    attendance = attend([short], now=datetime(2027, 3, 27, 12, tzinfo=berlin))
    (row,) = attendance.table.iter_rows(named=True)
    assert row["end"] - row["start"] == timedelta(hours=2)


def test_meetings_that_have_begun_are_missed() -> None:
    attendance = attend([event("early", -1, 1, 7)], now=NOW)
    assert because(attendance, "early") == "it has begun"
    assert attendance.missed == 7
    assert attendance.solution is None


def test_a_calendar_of_two_days_is_drawn() -> None:
    events = [event("a", 1, 2, 2, 30), event("b", 1.5, 3, 4), event("c", 2, 4, 1), event("next day", 25, 26)]
    attendance = attend(events, now=NOW)
    assert attended(attendance) == {"b", "next day"}
    figure = attendance.figure("A week")
    assert figure.alt == "A week: 4 meetings, 2 missed (a, c)"
    assert figure.png.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"meeting": ""}, "expected a name"),
        ({"start": datetime(2026, 12, 1, 9)}, "a time of which zone"),
        ({"start": NOW.date()}, "expected a date with a time"),
        ({"end": NOW - timedelta(hours=2)}, "not after its start"),
        ({"end": NOW}, "not after its start"),
        ({"priority": -1}, "priority = -1: expected a whole number"),
        ({"priority": 2.5}, r"priority = 2\.5: expected a whole number"),
        ({"preparation_min": -5}, "preparation_min = -5"),
    ],
)
def test_events_that_cannot_be_meant_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Event(**{"meeting": "talk", "start": NOW, "end": NOW + timedelta(hours=1), **given})


CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//twinloop//test//EN
BEGIN:VEVENT
UID:team
DTSTART;TZID=Europe/Berlin:20261201T093000
DTEND;TZID=Europe/Berlin:20261201T101500
RRULE:FREQ=DAILY;COUNT=3
SUMMARY:Team meeting
PRIORITY:7
END:VEVENT
BEGIN:VEVENT
UID:board
DTSTART;TZID=Europe/Berlin:20261201T100000
DTEND;TZID=Europe/Berlin:20261201T110000
SUMMARY:Board
PRIORITY:1
X-PREPARATION;VALUE=DURATION:PT30M
END:VEVENT
BEGIN:VEVENT
UID:lunch
DTSTART:20261202T083000Z
DTEND:20261202T090000Z
SUMMARY:Call
END:VEVENT
BEGIN:VEVENT
UID:holiday
DTSTART;VALUE=DATE:20261201
SUMMARY:Holiday
END:VEVENT
END:VCALENDAR
"""


def test_a_calendar_is_read_into_meetings(tmp_path: Path) -> None:
    (tmp_path / "calendar.ics").write_text(CALENDAR.replace("\n", "\r\n"))
    corpus = read([tmp_path / "calendar.ics"], CorpusSettings(calendar=CalendarSettings(zone="Europe/Berlin")))
    now = datetime(2026, 12, 1, 8, tzinfo=ZoneInfo("Europe/Berlin"))
    events = events_of(corpus.events, begin=now, end=now + timedelta(days=2))
    assert {(event.meeting, event.priority, event.preparation_min) for event in events} == {
        ("Team meeting, Tue 1 Dec 09:30", 3, 0),
        ("Team meeting, Wed 2 Dec 09:30", 3, 0),
        ("Board, Tue 1 Dec 10:00", 9, 30),
        ("Call, Wed 2 Dec 09:30", 5, 0),
    }
    assert attended(attend(events, now=now)) == {"Board, Tue 1 Dec 10:00", "Call, Wed 2 Dec 09:30"}


def test_events_of_one_meeting_agree_on_what_it_is_worth() -> None:
    with pytest.raises(InputError, match="meeting talk: priority is 1 and 2: give it once"):
        attend([event("talk", 1, 2, 1), event("talk", 3, 4, 2)], now=NOW)
