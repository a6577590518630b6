"""Times as people write them: no unit, order of day and month, or beginning is guessed in silence."""

from datetime import timedelta

import polars as pl
import pytest

from twinloop.errors import InputError
from twinloop.prognostics.data.times import Times, read_times

BEGIN_S = 1_767_225_600  # 2026-01-01T00:00:00Z


def times(name: str, *values: object) -> Times:
    return read_times(pl.Series(name, values), name, zone="UTC", ambiguous="refuse")


@pytest.mark.parametrize("power", [0, 3, 6, 9])
@pytest.mark.parametrize("kind", [int, str])
def test_unix_time_is_read_in_seconds_or_its_thousandths(power: int, kind: type) -> None:
    read = times("timestamp", *(kind((BEGIN_S + 90 * row) * 10**power) for row in range(3)))
    assert read.absolute
    assert read.minutes.to_list() == pytest.approx([BEGIN_S / 60 + 1.5 * row for row in range(3)])


@pytest.mark.parametrize(
    ("heading", "minutes"), [("time (s)", 1 / 60), ("Time [h]", 60), ("time_ms", 1 / 60_000), ("cycle", 1)]
)
def test_a_heading_says_the_unit_of_its_numbers(heading: str, minutes: float) -> None:
    read = times(heading, 0, 30, 60)
    assert not read.absolute
    assert read.minutes.to_list() == pytest.approx([0, 30 * minutes, 60 * minutes])


def test_a_length_of_time_is_minutes() -> None:
    read = times("time", timedelta(0), timedelta(hours=2))
    assert not read.absolute
    assert read.minutes.to_list() == [0, 120]


@pytest.mark.parametrize(
    "written",
    [
        ("3/12/2026 6:00:00 AM", "3/13/2026 6:00:00 PM"),
        ("12/3/2026 06:00", "13/3/2026 18:00"),
        ("12.03.2026 06:00:00", "13.03.2026 18:00:00"),
        ("2026-03-12 06:00 UTC", "2026-03-13 18:00 UTC"),
    ],
)
def test_a_day_is_told_from_a_month_where_one_is_above_twelve(written: tuple[str, ...]) -> None:
    read = times("time", *written)
    expected = times("time", "2026-03-12T06:00:00Z", "2026-03-13T18:00:00Z")
    assert read.minutes.to_list() == expected.minutes.to_list()


@pytest.mark.parametrize(
    ("heading", "values", "words"),
    [
        ("time", ("03/04/2026 06:00:00", "03/05/2026 06:00:00"), "may be day or month first (2 such, none tells)"),
        ("time (weeks)", (1, 2), "expected a unit of time as s, min, h, got 'weeks': rename the column"),
        ("time", (["a"], ["b"]), "expected times, got a column of List"),
    ],
)
def test_a_time_that_cannot_be_known_is_asked_for(heading: str, values: tuple[object, ...], words: str) -> None:
    with pytest.raises(InputError) as refused:
        times(heading, *values)
    assert words in str(refused.value)
