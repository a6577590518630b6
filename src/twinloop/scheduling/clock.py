"""When minute 0 of a shop is, so that its times can be read and shown as real dates.

A shop counts minutes of elapsed time. A clock that is put forward or back moves what people read, not the minutes.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from twinloop.errors import InputError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MOMENT = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2}|\d{1,2}\.\d{1,2}\.\d{4})"
    r"(?:[T ]+(?P<time>\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)? ?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
EXAMPLE = "2026-12-01T06:00+01:00"


@dataclass(frozen=True)
class Clock:
    """`start`: the moment of minute 0, with its offset. `zone`: in which local times are read and shown.

    >>> clock = Clock.of("2026-12-01T06:00+01:00")
    >>> clock.show(500), clock.minutes(datetime.fromisoformat("2026-12-01T07:30+01:00"))
    ('Tue 1 Dec 14:20', 90.0)
    """

    start: datetime
    zone: tzinfo

    @classmethod
    def of(cls, start: str | datetime, zone: str | None = None) -> "Clock":
        """From an ISO date with an offset, or a local one and the name of its zone. Raises InputError."""
        named = None if zone is None else zone_of(zone)
        moment = parsed_moment(start) if isinstance(start, str) else start
        if not isinstance(moment, datetime):
            what = "no date with a time" if moment is None else "a date without a time"
            raise InputError(f"start = {start!r}: {what}: expected the like of {EXAMPLE}")
        if moment.tzinfo is None:
            if named is None:
                raise InputError(
                    f"start = {start}: a time of which zone? add its offset, like {EXAMPLE}, or give a zone, like "
                    "Europe/Berlin"
                )
            moment = in_zone(moment, named, f"start = {start}")
        return cls(moment, named or moment.tzinfo or UTC)

    def moment(self, minutes: float) -> datetime:
        """The local moment at `minutes` of the shop's time."""
        return (self.start.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(self.zone)

    def minutes(self, moment: datetime | date, *, end_of_day: bool = False) -> float:
        """Minutes from the start to a moment, local where it has no zone; a date is its first minute or its end.

        Raises InputError for a local time that the zone's clocks skip or show twice.
        """
        if not isinstance(moment, datetime):
            day = moment + timedelta(days=1) if end_of_day else moment
            moment = datetime(day.year, day.month, day.day)
        if moment.tzinfo is None:
            moment = in_zone(moment, self.zone, f"{moment}")
        return (moment.astimezone(UTC) - self.start.astimezone(UTC)).total_seconds() / 60

    def show(self, minutes: float, *, until: bool = False) -> str:
        """The moment as people say it; with its year where that is not the year of the start.

        until: what ends with a day ends at 24:00.
        """
        moment = self.moment(minutes)
        if until and (moment.hour, moment.minute) == (0, 0):
            return f"{self.show(minutes - 1)[:-5]}24:00"
        year = "" if moment.year == self.moment(0).year else f" {moment.year}"
        return f"{DAYS[moment.weekday()]} {moment.day} {MONTHS[moment.month - 1]}{year} {moment:%H:%M}"


def zone_of(name: str) -> tzinfo:
    """The zone called like Europe/Berlin, or an offset like +01:00. Raises InputError."""
    if offset := re.fullmatch(r"([+-])(\d{2}):?(\d{2})", name, re.ASCII):
        ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        if ahead < timedelta(hours=24):
            return timezone(-ahead if offset[1] == "-" else ahead)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise InputError(f"zone = {name!r}: not known: expected a name like Europe/Berlin, or +01:00") from None


def in_zone(moment: datetime, zone: tzinfo, where: str) -> datetime:
    """A local time with its zone. Raises InputError for one that the zone's clocks skip or show twice."""
    local = moment.replace(tzinfo=zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise InputError(f"{where}: no such time in {zone}, where clocks are put forward: add its offset")
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise InputError(f"{where}: comes twice in {zone}, where clocks are put back: add its offset")
    return local


def parsed_moment(text: str) -> datetime | date | None:
    """The date, or date and time, that a text is: ISO, or day.month.year; None for anything else.

    >>> parsed_moment("1.12.2026 14:00")
    datetime.datetime(2026, 12, 1, 14, 0)
    """
    parts = MOMENT.fullmatch(text.strip())
    if parts is None:
        return None
    day = parts["date"]
    if "." in day:
        day = "-".join(part.zfill(2) for part in reversed(day.split(".")))
    try:
        if parts["time"] is None:
            return date.fromisoformat(day)
        return datetime.fromisoformat(
            f"{day}T{parts['time'].zfill(5 if len(parts['time']) < 6 else 8)}{parts['zone'] or ''}"
        )
    except ValueError:
        return None


class Say(NamedTuple):
    """How a shop's times are said: moments, lengths, and moments until which something lasts or is due."""

    when: Callable[[float], str]
    long: Callable[[float], str]
    until: Callable[[float], str]

    @classmethod
    def of(cls, clock: Clock | None, *, minutes: bool = True) -> "Say":
        """Dates where the clock is known; minutes: whether the shop counts in them."""
        if clock is not None:
            return cls(clock.show, lasting, partial(clock.show, until=True))
        return cls("{:g}".format, lasting if minutes else "{:g}".format, "{:g}".format)


def lasting(minutes: float) -> str:
    """A length of time in words.

    >>> lasting(370), lasting(60), lasting(45)
    ('6 h 10 min', '1 h', '45 min')
    """
    hours, rest = divmod(math.ceil(minutes), 60)
    return " ".join([f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours))
