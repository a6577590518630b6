"""A shop's minutes and real dates: one is the other, also where clocks are put forward or back."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.errors import InputError
from twinloop.scheduling.clock import Clock, lasting, parsed_moment

BERLIN = Clock.of("2026-10-24T06:00", "Europe/Berlin")


@given(minutes=st.integers(0, 10**7))
def test_a_moment_is_its_minute_again(minutes: int) -> None:
    assert BERLIN.minutes(BERLIN.moment(minutes)) == minutes


def test_an_hour_that_comes_twice_is_worked_twice() -> None:
    # From 03:00 summer time clocks show 02:00 again.
    assert BERLIN.show(23 * 60) == "Sun 25 Oct 04:00"
    with pytest.raises(InputError, match="comes twice in Europe/Berlin"):
        BERLIN.minutes(datetime(2026, 10, 25, 2, 30))


def test_a_start_with_an_offset_is_shown_in_the_zone_that_is_asked_for() -> None:
    clock = Clock.of("2026-12-31T23:30+01:00", "UTC")
    assert (clock.show(0), clock.show(24 * 60)) == ("Thu 31 Dec 22:30", "Fri 1 Jan 2027 22:30")
    assert clock.moment(0) == datetime(2026, 12, 31, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-12-01", "a date without a time"),
        ("tomorrow", "no date with a time"),
        ("2026-12-01T25:00+01:00", "no date with a time"),
        ("2026-12-01T06:00", "a time of which zone?"),
    ],
)
def test_a_start_that_is_no_moment_is_refused(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        Clock.of(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-01 6:05", datetime(2026, 12, 1, 6, 5)),
        ("2026-12-01T06:05:30Z", datetime(2026, 12, 1, 6, 5, 30, tzinfo=UTC)),
        ("1/12/2026", None),
        ("2026-02-30", None),
        ("12", None),
    ],
)
def test_dates_are_read_or_not_dates(text: str, moment: datetime | None) -> None:
    assert parsed_moment(text) == moment


def test_lengths_are_said_in_hours_and_minutes() -> None:
    assert [lasting(m) for m in (0, 59, 60, 61, 1500)] == ["0 min", "59 min", "1 h", "1 h 1 min", "25 h"]
