"""The sheets Shifts, Exceptions and Calendar: weekly hours, days that differ, windows; what is unsure is refused."""

from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from tests.scheduling.files.books import write_book
from twinloop.errors import InputError
from twinloop.scheduling.files.problem import read_problem
from twinloop.scheduling.files.reading import Reading
from twinloop.scheduling.problem import Calendar, Day, Shift, Window
from twinloop.scheduling.problem.calendar import NEVER, Closures

HOW = {"start": "2026-12-01T06:00", "zone": "Europe/Berlin"}  # a Tuesday
ORDERS = [
    ["job", "operation", "machine", "duration", "pools"],
    ["A", 1, "mill", 30, "people"],
    ["A", 2, "saw", 5, None],
]
POOLS = [["pool", "capacity"], ["people", 2]]


def read(tmp_path: Path, how: dict[str, str] = HOW, **sheets: list[list[Any]]) -> Reading:
    return read_problem(write_book(tmp_path / "a.xlsx", **{"Orders": ORDERS, "Pools": POOLS, **sheets}), **how)


def test_shifts_repeat_every_week_in_the_zone_and_pools_have_fewer_at_night(tmp_path: Path) -> None:
    shop = read(
        tmp_path,
        Shifts=[
            ["Resource", "Days", "From", "To", "Capacity"],
            ["all", "Mon-Fri", "06:00", time(22, 0), None],
            ["people", "Mo, Di–Fr", time(6, 0), "14:00", 2],
            ["people", "Mon-Fri", "14:00", "22:00", 1],
        ],
    ).shop
    week = ("Mon", "Tue", "Wed", "Thu", "Fri")
    start = "2026-12-01T06:00"
    assert shop.calendars["mill"] == Calendar(start, (Shift("06:00", "22:00", week),), zone="Europe/Berlin")
    assert shop.pools[0].calendar == Calendar(
        start, (Shift("06:00", "14:00", week, 2), Shift("14:00", "22:00", week, 1)), zone="Europe/Berlin"
    )
    # Friday 22:00 to Monday 06:00.
    assert Closures(shop).on("mill").first(4 * 1440 - 8 * 60, 30) == 6 * 1440


@pytest.mark.parametrize("windows", [[(800, 9000)], [(800, 900), (900, 9000)]], ids=["alone", "touching"])
def test_a_window_that_is_said_to_end_the_hours_never_opens_again(
    tmp_path: Path, windows: list[tuple[int, int]]
) -> None:
    rows = [["mill", start, end, "closed", "ends"] for start, end in windows]
    shop = read(tmp_path, Calendar=[["machine", "start", "end", "kind", "repeat"], *rows]).shop
    assert (Closures(shop).on("mill").first(700, 30), Closures(shop).on("mill").first(800, 30)) == (700, NEVER)


def test_own_shifts_take_the_place_of_those_of_all_and_that_is_said(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        Shifts=[["machine", "start", "end"], ["", "06:00", "14:00"], ["saw", "00:00", "24:00"]],
    )
    assert reading.shop.calendars["saw"].shifts == (Shift("00:00", "24:00"),)
    assert reading.shop.calendars["mill"].shifts == (Shift("06:00", "14:00"),)
    assert "shifts of their own, and none of those of all: saw" in reading.notes
    reading = read(tmp_path, Shifts=[["machine", "start", "end"], ["mill", "06:00", "14:00"]])
    assert "without shifts, and so always open: saw" in reading.notes


def test_holidays_are_closed_and_a_short_day_has_its_own_shift(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        Shifts=[["machine", "start", "end"], ["mill", "06:00", "14:00"]],
        Holidays=[
            ["Date", "machine", "from", "to"],
            [date(2026, 12, 24), "all", None, None],
            ["25.12.2026", None, None, None],
            [datetime(2026, 12, 31), "mill", "06:00", "10:00"],
            ["2026-12-24", "mill", "08:00", "09:00"],
        ],
    )
    assert reading.shop.calendars["mill"].exceptions == (
        Day("2026-12-24", (Shift("08:00", "09:00"),)),
        Day("2026-12-25"),
        Day("2026-12-31", (Shift("06:00", "10:00"),)),
    )
    assert "without shifts, and so open on exceptions too: saw" in reading.notes


def test_windows_are_single_closures_overtime_or_repeat(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        Calendar=[
            ["machine", "start", "end", "kind", "repeat"],
            ["mill", "2026-12-01 22:00", "2026-12-02 06:00", "closed", "1 d"],
            ["mill", "2026-12-05", "2026-12-06", "", None],
            ["mill", "2026-12-01 23:00", "2026-12-01 23:30", "overtime", None],
            ["saw", "2026-12-01 04:00", "2026-12-01 08:00", "closed", "24 h"],
            ["people", "2026-12-01 12:00", "2026-12-01 12:30", "stop", None],
        ],
    )
    shop = reading.shop
    assert (shop.closed["mill"], shop.repeat["mill"]) == ((Window(960, 1440),), 1440)
    # The period begins at minute 0, 06:00: closed until 08:00 and from 04:00 on.
    assert shop.closed["saw"] == (Window(0, 120), Window(1320, 1440))
    # A date without a time lasts until its end.
    assert shop.stops["mill"] == (Window(4 * 1440 - 360, 6 * 1440 - 360),)
    assert shop.overtime["mill"] == (Window(1020, 1050),)
    assert shop.pools[0].stops == (Window(360, 390),)
    assert "windows that end on a date without a time last until the end of that day" in reading.notes


def test_a_week_across_the_change_of_clocks_has_an_hour_less(tmp_path: Path) -> None:
    shop = read(
        tmp_path,
        {"start": "2027-03-27T06:00", "zone": "Europe/Berlin"},
        Shifts=[["machine", "start", "end"], ["all", "22:00", "06:00"]],
    ).shop
    hours = Closures(shop).on("mill")
    assert [(w.start, w.end) for w in hours.windows(1500)][:2] == [(0, 960), (23 * 60, 39 * 60)]


def test_a_shift_of_a_whole_day_and_one_named_twice_are_said(tmp_path: Path) -> None:
    shifts = [["machine", "days", "start", "end"], *[["mill", "Mon", "14:00", "14:00"]] * 2]
    notes = read(tmp_path, Shifts=shifts).notes
    assert {
        "a shift from 14:00 to 14:00 lasts a whole day",
        "the same shift is there twice: Mon 14:00 to 14:00",
    } <= set(notes)


def test_a_start_in_the_book_is_enough(tmp_path: Path) -> None:
    sheets = {"Shifts": [["machine", "start", "end"], ["mill", "06:00", "14:00"]]}
    start = [["start", "zone"], [datetime(2026, 12, 1, 6, 0), "Europe/Berlin"]]
    reading = read(tmp_path, {}, Start=start, **sheets)
    assert reading.shop.calendars["mill"].start == "2026-12-01T06:00"
    assert "minute 0 is Tue 1 Dec 06:00" in reading.notes
    # An option that says the same with an offset alone keeps the zone of the book.
    again = read(tmp_path, {"start": "2026-12-01T05:00Z"}, Start=start, **sheets)
    assert again.shop == reading.shop


HEAD = ["machine", "days", "start", "end", "capacity"]
WINDOW = ["machine", "start", "end", "kind", "repeat"]
GOOD = [HEAD, ["mill", "Mon", "06:00", "14:00", None]]
BAD: dict[str, tuple[dict[str, list[list[Any]]], dict[str, str], str]] = {
    "no start": ({"Shifts": GOOD}, {}, "shifts lie on dates: say when minute 0 is, by --start or a sheet Start"),
    "no zone": (
        {"Shifts": GOOD},
        {"start": "2026-12-01T06:00+01:00"},
        "follow the clocks of a zone, UTC+01:00 is none",
    ),
    "no such zone": (
        {"Shifts": [[*HEAD, "zone"], [*GOOD[1], "Europe/Nowhere"]]},
        HOW,
        "zone 'Europe/Nowhere': not known: expected a name like Europe/Berlin",
    ),
    "an hour that comes twice": (
        {"Shifts": GOOD},
        {"start": "2026-10-25T02:30+01:00", "zone": "Europe/Berlin"},
        "minute 0, 2026-10-25T02:30, comes twice in Europe/Berlin: begin an hour earlier or later",
    ),
    "a number of hours": (
        {"Shifts": [HEAD, ["mill", "Mon", 6, "14:00", None]]},
        HOW,
        "row 2: start = 6: expected a time",
    ),
    "past midnight": (
        {"Shifts": [HEAD, ["mill", "Mon", "06:00", "25:00", None]]},
        HOW,
        "end = '25:00': expected a time",
    ),
    "no day": ({"Shifts": [HEAD, ["mill", "Mox", "06:00", "14:00", None]]}, HOW, "days = 'Mox': expected days like"),
    "Saturday or not": ({"Shifts": [HEAD, ["mill", "workdays", "06:00", "14:00", None]]}, HOW, "with Saturday or"),
    "nobody": (
        {"Shifts": [HEAD, ["drill", "Mon", "06:00", "14:00", None]]},
        HOW,
        "'drill' is no machine, pool or person",
    ),
    "misspelt": ({"Shifts": [HEAD, ["mil", "Mon", "06:00", "14:00", None]]}, HOW, "did you mean 'mill'?"),
    "no end": ({"Shifts": [HEAD, ["mill", "Mon", "06:00", None, None]]}, HOW, "Shifts row 2: end is empty"),
    "less than nobody": (
        {"Shifts": [HEAD, ["people", "", "06:00", "14:00", -1]]},
        HOW,
        "capacity = -1: expected a whole",
    ),
    "half a person": (
        {"Shifts": [HEAD, ["people", "", "06:00", "14:00", 0.5]]},
        HOW,
        "capacity = 0.5: expected a whole",
    ),
    "so many of all": ({"Shifts": [HEAD, ["all", "", "06:00", "14:00", 2]]}, HOW, "capacity of all machines: name the"),
    "exceptions to nothing": (
        {"Exceptions": [["date"], ["2026-12-24"]]},
        HOW,
        "exceptions to which hours? give weekly",
    ),
    "a machine without hours": (
        {"Shifts": GOOD, "Exceptions": [["machine", "date"], ["saw", "2026-12-24"]]},
        HOW,
        "saw has no weekly hours: give them in Shifts, or close it in Calendar",
    ),
    "half a shift": (
        {"Shifts": GOOD, "Exceptions": [["machine", "date", "start"], ["mill", "2026-12-24", "06:00"]]},
        HOW,
        "expected start and end of a shift, or neither where it is closed that day",
    ),
    "a day twice": (
        {"Shifts": GOOD, "Exceptions": [["machine", "date"], ["mill", "2026-12-24"], ["mill", "24.12.2026"]]},
        HOW,
        "row 3: 2026-12-24 is there twice, once closed: keep one",
    ),
    "no date": (
        {"Shifts": GOOD, "Exceptions": [["date"], ["Christmas"]]},
        HOW,
        "date = 'Christmas': expected a day like",
    ),
    "what is behind": (
        {"Calendar": [WINDOW, ["mill", 10, 20, "closed", None], ["mill", 30, 40, "closed", None]]},
        HOW,
        "mill is closed several times, and behind the last? give repeat (like 1 d), ends where it is closed for good",
    ),
    "two periods": (
        {"Calendar": [WINDOW, ["mill", 10, 20, "closed", "1 d"], ["mill", 30, 40, "closed", "2 d"]]},
        HOW,
        "row 3: mill repeats otherwise than in sheet Calendar row 2: give it one repeat",
    ),
    "longer than its period": (
        {"Calendar": [WINDOW, ["mill", 0, 99, "closed", "1 h"]]},
        HOW,
        "of 99 minutes repeats every",
    ),
    "never again": (
        {"Calendar": [WINDOW, ["mill", 0, 9, "closed", 0]]},
        HOW,
        "repeat = 0: expected a length of time above",
    ),
    "overtime again and again": (
        {"Calendar": [WINDOW, ["mill", 0, 9, "overtime", 99]]},
        HOW,
        "repeat is for windows of the",
    ),
    "no kind": ({"Calendar": [WINDOW, ["mill", 0, 9, "clsoed", None]]}, HOW, "kind = 'clsoed': did you mean 'closed'?"),
    "another start": (
        {"Start": [["start", "zone"], ["2026-12-02 06:00", "Europe/Berlin"]]},
        HOW,
        "the book starts 2026-12-02T06:00:00+01:00, --start says 2026-12-01T06:00:00+01:00: keep one",
    ),
    "a start without a zone": (
        {"Start": [["start"], ["2026-12-02 06:00"]]},
        {},
        "a time of which zone? add its offset",
    ),
    "two starts": (
        {"Start": [["start"], ["2026-12-02"], ["2026-12-03"]]},
        {},
        "expected one row with start and zone, got 2",
    ),
    "two things of one name": (
        {"Pools": [["pool"], ["people"], ["mill"]], "Calendar": [WINDOW, ["mill", 0, 9, None, None]]},
        HOW,
        "'mill' is two things, like a machine and a pool: give one another name",
    ),
}


@pytest.mark.parametrize(("sheets", "how", "message"), BAD.values(), ids=BAD.keys())
def test_hours_that_are_not_sure_are_refused_in_one_line(
    sheets: dict[str, list[list[Any]]], how: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="^[^\n]*$") as caught:
        read(tmp_path, how, **sheets)
    assert message in str(caught.value)
