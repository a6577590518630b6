"""Weekly working hours in local time, with the days that differ, on the axis of elapsed time on which plans lie.

A shift belongs to the day on which it starts and may end on the next one. Local times become elapsed time through the
zone's rules (IANA), so that the night in which clocks go forward has an hour less and the one back an hour more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Any, ClassVar, NamedTuple
from zoneinfo import ZoneInfo

from twinloop.config.schema import CONFIG
from twinloop.errors import InputError

# The end of all times a plan can have; what is closed until then never opens again.
NEVER = 2**31 - 1
WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_S = 86_400
# So many days are searched at once for changes of clocks.
SEARCHED = 4 * 366
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Opening(NamedTuple):
    """Open during [start, end); of a pool, `capacity` of its units are there (None: all of them)."""

    start: int
    end: int
    capacity: int | None = None


@dataclass(frozen=True)
class Shift:
    """From `start` to `end` o'clock ("22:00", "06:00": over midnight) on `days`, without any on every day.

    capacity: how many units of a pool are there; by default all. Where shifts of a pool overlap, units add up.
    """

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    start: str
    end: str
    days: tuple[str, ...] = ()
    capacity: int | None = None

    @cached_property
    def hours(self) -> tuple[int, int]:
        """Start and end in minutes behind midnight, the end up to 48 hours. Raises InputError."""
        start, end = _minutes(self.start), _minutes(self.end)
        return start, end if end > start else end + DAY_S // 60


@dataclass(frozen=True)
class Day:
    """The shifts of one date ("2026-12-24") in place of the weekly ones: none on a holiday, more with overtime."""

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    date: str
    shifts: tuple[Shift, ...] = ()


@dataclass(frozen=True)
class Calendar:
    """Shifts that repeat every week, for ever, but for the days named in `exceptions`; closed at all other times.

    start: local date and time ("2026-03-23T06:00") at which the plan's time is 0. zone: IANA name. unit_s: seconds of
    the plan's time unit; a shift that begins or ends inside a unit does not have this unit.

    >>> early = Calendar("2026-03-23T06:00", (Shift("06:00", "14:00", days=("Mon", "Tue")),))
    >>> [(o.start, o.end) for o in early.openings(0, 10_000)]
    [(0, 480), (1440, 1920)]
    """

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    start: str
    shifts: tuple[Shift, ...]
    exceptions: tuple[Day, ...] = ()
    zone: str = "UTC"
    unit_s: int = 60

    def check(self, where: str) -> None:
        """Raise InputError, which begins with `where`, for what is no date, time, day, zone or unit."""
        try:
            self._check()
        except InputError as error:
            raise InputError(f"{where}: {error}") from None

    @cached_property
    def zero(self) -> datetime:
        """Time 0 as an instant. Raises InputError."""
        return datetime.combine(self._begin.date(), self._begin.time(), self._zone).astimezone(UTC)

    @property
    def every_shift(self) -> tuple[Shift, ...]:
        """All shifts, of the week and of exceptions."""
        return (*self.shifts, *(shift for day in self.exceptions for shift in day.shifts))

    def even(self, capacity: int) -> bool:
        """Whether every shift has all units of a pool."""
        return all(shift.capacity in (None, capacity) for shift in self.every_shift)

    @property
    def period(self) -> int:
        """A week in time units, rounded up."""
        return -(-7 * DAY_S // self.unit_s)

    @property
    def exact(self) -> bool:
        """Whether a week is a whole number of time units, so that weeks can be alike at all."""
        return 7 * DAY_S % self.unit_s == 0

    def alike_until(self, time: int) -> int:
        """Until when at least all weeks from `time` on have the same shifts, but for exceptions; NEVER where for ever.

        That is two days before clocks change: a shift ends at most so long behind the midnight before it.
        """
        if self.zone == "UTC":
            return NEVER
        zero = int(self.zero.timestamp())
        first = (zero + time * self.unit_s) // DAY_S - 2
        part = first // SEARCHED
        changes = (day for k in (part, part + 1) for day in _changes(self._zone, k) if day >= first)
        change = next(changes, (part + 2) * SEARCHED)
        return ((change - 2) * DAY_S - zero) // self.unit_s

    @cached_property
    def last_exception(self) -> int:
        """A time behind which the weekly shifts alone apply."""
        days = [date.fromisoformat(day.date) for day in self.exceptions]
        if not days:
            return 0
        return max(0, self._time(max(days) + timedelta(days=1), 2 * DAY_S // 60, up=True))

    def openings(self, start: int, end: int) -> Iterator[Opening]:
        """Shifts that overlap [start, end), whole and in order of their days; they may overlap each other."""
        first = (self.zero + timedelta(seconds=start * self.unit_s)).astimezone(self._zone).date()
        day, days = first - timedelta(days=2), (end - start) * self.unit_s // DAY_S + 5
        for _ in range(days):
            shifts = self._special.get(day, self._weekly[day.weekday()])
            for shift in shifts:
                opens, closes = shift.hours
                opened, closed = self._time(day, opens, up=True), self._time(day, closes, up=False)
                if max(opened, start) < min(closed, end):
                    yield Opening(opened, closed, shift.capacity)
            day += timedelta(days=1)

    def _time(self, day: date, minutes: int, *, up: bool) -> int:
        days, minutes = divmod(minutes, DAY_S // 60)
        clock = datetime.combine(day + timedelta(days=days), time(minutes // 60, minutes % 60), self._zone)
        elapsed = int((clock.astimezone(UTC) - self.zero).total_seconds())
        return -(-elapsed // self.unit_s) if up else elapsed // self.unit_s

    @cached_property
    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):
            raise InputError(
                f"calendar: unknown zone {self.zone!r}: expected an IANA name, like Europe/Berlin"
            ) from None

    @cached_property
    def _begin(self) -> datetime:
        try:
            begin = datetime.fromisoformat(self.start)
        except ValueError:
            begin = None
        if begin is None or begin.tzinfo is not None:
            raise InputError(
                f"calendar: start {self.start!r}: expected a local date and time without offset, like 2026-03-23T06:00"
            )
        return begin

    @cached_property
    def _weekly(self) -> tuple[tuple[Shift, ...], ...]:
        return tuple(tuple(shift for shift in self.shifts if not shift.days or day in shift.days) for day in WEEK)

    @cached_property
    def _special(self) -> dict[date, tuple[Shift, ...]]:
        return {date.fromisoformat(day.date): day.shifts for day in self.exceptions}

    def _check(self) -> None:
        if not self.shifts:
            raise InputError("calendar: expected at least one shift, got none: close a machine by 'closed' instead")
        if isinstance(self.unit_s, bool) or not isinstance(self.unit_s, int) or not 1 <= self.unit_s <= DAY_S:
            raise InputError(f"calendar: unit_s = {self.unit_s!r}: expected whole seconds from 1 to {DAY_S}")
        _ = self.zero
        dates = set[str]()
        for day in self.exceptions:
            try:
                date.fromisoformat(day.date)
            except (ValueError, TypeError):
                raise InputError(f"calendar: exception {day.date!r}: expected a date like 2026-12-24") from None
            if day.date in dates:
                raise InputError(f"calendar: exception {day.date} is there twice: name all its shifts once")
            dates.add(day.date)
            if any(shift.days for shift in day.shifts):
                raise InputError(f"calendar: exception {day.date}: a shift of one date has no days: remove them")
        for shift in self.every_shift:
            _ = shift.hours
            if unknown := [day for day in shift.days if day not in WEEK]:
                raise InputError(f"calendar: unknown day {unknown[0]!r}; known: {', '.join(WEEK)}")
            if shift.capacity is not None and (
                isinstance(shift.capacity, bool) or not isinstance(shift.capacity, int) or shift.capacity < 0
            ):
                raise InputError(f"calendar: capacity {shift.capacity!r} of a shift: expected a whole number ≥ 0")


@lru_cache(maxsize=4096)
def _changes(zone: ZoneInfo, part: int) -> tuple[int, ...]:
    """Days (since 1970, UTC) of one part of all time on which clocks change."""
    days = range(part * SEARCHED, (part + 1) * SEARCHED + 1)
    ahead = [(EPOCH + timedelta(days=day)).astimezone(zone).utcoffset() for day in days]
    return tuple(day for day, before, after in zip(days, ahead, ahead[1:], strict=False) if before != after)


def _minutes(clock: str) -> int:
    hours, colon, minutes = clock.partition(":") if isinstance(clock, str) else ("", "", "")
    if colon and hours.isdecimal() and minutes.isdecimal() and len(hours) == len(minutes) == 2:
        total = 60 * int(hours) + int(minutes)
        if int(minutes) < 60 and total <= DAY_S // 60:
            return total
    raise InputError(f"calendar: {clock!r}: expected a time of day from 00:00 to 24:00")
