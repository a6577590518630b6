"""Calendars in iCalendar (RFC 5545), recurrences written out as single events in UTC.

A recurrence keeps the time on its clock's face across daylight saving, as the standard says. What cannot be known is
asked for, never guessed: the zone of a time without one, the end of a recurrence without one, an hour that a clock
skips or shows twice.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import icalendar
from dateutil.rrule import rrulestr

from twinloop.dialogue.datasets.corpus import EVENTS, Corpus, rows
from twinloop.dialogue.datasets.files import of_suffix, text_of
from twinloop.dialogue.datasets.settings import CalendarSettings, CorpusSettings
from twinloop.errors import InputError

PREPARATION = "X-PREPARATION"
READ = (
    *("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"),
    *("PRIORITY", "SEQUENCE", PREPARATION),
)
FREQUENCIES = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
# A rule that names only how often it happens ends somewhere.
LONGEST = timedelta(days=100 * 366)
CANCELLED, REPEATED = "event that was cancelled", "event given twice"


def claims(files: list[Path]) -> list[Path]:
    """The calendars among them."""
    return of_suffix(files, (".ics",))


def read(files: list[Path], settings: CorpusSettings) -> Corpus:
    """The events of calendars. Raises InputError as `read_calendar` does."""
    frames, left = [], Counter[str]()
    for path in files:
        events, out = read_calendar(path, settings)
        frames += events
        left.update(out)
    return Corpus(
        layout="calendar", events=rows(EVENTS, sorted(frames, key=lambda row: (row[2], row[0]))), left_out=left
    )


def read_calendar(path: Path, settings: CorpusSettings) -> tuple[list[tuple[Any, ...]], Counter[str]]:
    """Rows of EVENTS, and what was left out.

    Raises InputError for what is no calendar, an end before its start, a time without zone where none is set, an hour
    that the clock skips or shows twice, and a recurrence without end where no last day is set.
    """
    text = text_of(path, max_bytes=settings.max_bytes)
    try:
        calendars = icalendar.Calendar.from_ical(text, multiple=True)
    except (ValueError, IndexError, KeyError) as error:
        raise InputError(
            f"calendar: {path}: expected iCalendar, it cannot be read ({error}): export it again"
        ) from None
    if not calendars or any(one.name != "VCALENDAR" for one in calendars):
        raise InputError(f"calendar: {path}: expected BEGIN:VCALENDAR … END:VCALENDAR, found none: export it again")
    left = Counter[str]()
    made: list[tuple[Any, ...]] = []
    for calendar in calendars:
        reader = _Reader(path.name, settings.calendar, str(calendar.get("X-WR-TIMEZONE", "")))
        made += reader.events(calendar.walk("VEVENT"), left)
    return made, left


@dataclass(frozen=True)
class _Span:
    """An event as its clock shows it: begin on the clock's face, how long, whole days or not."""

    wall: datetime
    zone: tzinfo
    lasts: timedelta
    all_day: bool


@dataclass(frozen=True)
class _Reader:
    """Of one calendar. given_zone: the zone that the calendar names for times without one ("": none)."""

    file: str
    settings: CalendarSettings
    given_zone: str

    def events(self, components: Iterable[Any], left: Counter[str]) -> Iterator[tuple[Any, ...]]:
        masters: dict[str, Any] = {}
        changes: dict[str, list[Any]] = defaultdict(list)
        for number, component in enumerate(components):
            if broken := next(((name, reason) for name, reason in component.errors if name in READ), None):
                raise self._error(component, f"has {broken[0]} that cannot be read ({broken[1]})", "correct it")
            uid = str(component.get("UID") or f"event-{number}")
            if "RECURRENCE-ID" in component:
                changes[uid].append(component)
                continue
            if uid in masters:
                left[REPEATED] += 1
                if int(masters[uid].get("SEQUENCE", 0)) >= int(component.get("SEQUENCE", 0)):
                    continue
            masters[uid] = component
        for uid, component in masters.items():
            if _cancelled(component):
                left[CANCELLED] += 1
                changes.pop(uid, None)
                continue
            span = self._span(component)
            changed = {self._wall(one["RECURRENCE-ID"], one, span): one for one in changes.get(uid, ())}
            recurring = "RRULE" in component or "RDATE" in component
            for wall in self._walls(component, span):
                if wall not in changed:
                    name = f"{uid}/{wall.isoformat()}" if recurring else uid
                    yield self._row(name, component, _Span(wall, span.zone, span.lasts, span.all_day), recurring)
        for uid, several in changes.items():
            for one in several:
                if _cancelled(one):
                    left[CANCELLED] += 1
                else:
                    own = self._span(one)
                    yield self._row(f"{uid}/{own.wall.isoformat()}", one, own, recurring=True)

    def _span(self, event: Any) -> _Span:
        begin = self._moment(event, "DTSTART")
        if begin is None:
            raise self._error(event, "has no DTSTART", "export the calendar again")
        if not isinstance(begin, datetime):
            end = self._moment(event, "DTEND")
            lasts = self._duration(event) or ((end - begin) if end is not None else timedelta(days=1))
            if lasts <= timedelta(0):
                raise self._error(event, f"ends {end} before it starts {begin}", "correct one of them")
            return _Span(datetime.combine(begin, time()), self._zone(event, None), lasts, all_day=True)
        zone = begin.tzinfo or self._zone(event, event["DTSTART"])
        wall = begin.replace(tzinfo=None)
        end = self._moment(event, "DTEND")
        if end is None:
            return _Span(wall, zone, self._duration(event) or timedelta(0), all_day=False)
        if not isinstance(end, datetime):
            raise self._error(event, "starts at a time and ends on a day", "give both a time")
        closing = self._utc(end.replace(tzinfo=None), end.tzinfo or zone, event)
        lasts = closing - self._utc(wall, zone, event)
        if lasts < timedelta(0):
            raise self._error(
                event, f"ends {end:%Y-%m-%d %H:%M} before it starts {wall:%Y-%m-%d %H:%M}", "correct one of them"
            )
        return _Span(wall, zone, lasts, all_day=False)

    def _moment(self, event: Any, name: str) -> date | datetime | None:
        value = event.get(name)
        if value is None:
            return None
        moment = getattr(value, "dt", None)
        if not isinstance(moment, date):
            raise self._error(event, f"has {name} twice, or as neither date nor time", "correct it")
        return moment

    def _duration(self, event: Any) -> timedelta | None:
        value = getattr(event.get("DURATION"), "dt", None)
        if value is not None and value < timedelta(0):
            raise self._error(event, f"has a duration of {value}", "correct it")
        return value if isinstance(value, timedelta) else None

    def _zone(self, event: Any, value: Any) -> tzinfo:
        """Of a time without one; days need one too, as they begin at somebody's midnight."""
        named = str(value.params.get("TZID", "")) if value is not None else ""
        if named:
            raise self._error(event, f"is in zone {named!r}, which nobody knows", "name it as Europe/Berlin")
        name = self.settings.zone or self.given_zone
        if not name:
            raise self._error(event, "has no zone", "set CalendarSettings.zone, as Europe/Berlin or UTC")
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise InputError(
                f"calendar: {self.file}: zone {name!r} is unknown: name it as Europe/Berlin or UTC"
            ) from None

    def _wall(self, value: Any, event: Any, span: _Span) -> datetime:
        """A moment on the face of the event's clock."""
        if str(value.params.get("RANGE", "")):
            raise self._error(event, "changes all later ones at once (RANGE)", "export them as single events")
        return _on_face(value.dt, span.zone)

    def _walls(self, event: Any, span: _Span) -> list[datetime]:
        """All times at which it begins, in order, without those that are excepted."""
        walls = {span.wall}
        rules = event.get("RRULE", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            walls.update(self._recurring(event, rule, span))
        walls.update(_on_face(moment, span.zone) for moment in _dates(event, "RDATE"))
        excepted = set(_dates(event, "EXDATE"))
        gone = {_on_face(moment, span.zone) for moment in excepted if isinstance(moment, datetime)}
        days = {moment for moment in excepted if not isinstance(moment, datetime)}
        return sorted(wall for wall in walls if wall not in gone and wall.date() not in days)

    def _recurring(self, event: Any, rule: Any, span: _Span) -> list[datetime]:
        frequency = str(next(iter(rule.get("FREQ", [])), ""))
        if frequency not in FREQUENCIES:
            raise self._error(
                event, f"recurs {frequency.lower() or 'never'}", f"expected one of {', '.join(FREQUENCIES)}"
            )
        interval = next(iter(rule.get("INTERVAL", [])), 1)
        if interval < 1:
            # It would stand still for as many events as are allowed.
            raise self._error(event, f"recurs at an interval of {interval}", "expected one from 1 on")
        last = datetime.combine(date.fromisoformat(self.settings.until), time.max) if self.settings.until else None
        until = next(iter(rule.get("UNTIL", [])), None)
        if until is not None:
            until = _on_face(until, span.zone) if isinstance(until, datetime) else datetime.combine(until, time.max)
        elif "COUNT" in rule:
            until = span.wall + LONGEST
        bounds = [bound for bound in (until, last) if bound is not None]
        if not bounds:
            raise self._error(event, "recurs without an end", "set CalendarSettings.until to the last day, YYYY-MM-DD")
        parts = {key: value for key, value in rule.items() if key != "UNTIL"}
        try:
            written: bytes = icalendar.vRecur(parts).to_ical()  # type: ignore[no-untyped-call]
            times = rrulestr(written.decode(), dtstart=span.wall)
        except (ValueError, TypeError) as error:
            raise self._error(event, f"has a recurrence that cannot be read ({error})", "correct it") from None
        most, closing = self.settings.most_events, min(bounds)
        found = list(islice(_until(times, closing), most + 1))
        if len(found) > most:
            raise self._error(event, f"recurs more than {most} times", "set CalendarSettings.until to an earlier day")
        return found

    def _row(self, name: str, event: Any, span: _Span, recurring: bool) -> tuple[Any, ...]:
        begin = self._utc(span.wall, span.zone, event)
        try:
            # Days are as long as the clock makes them; hours are hours.
            end = self._utc(span.wall + span.lasts, span.zone, event) if span.all_day else begin + span.lasts
        except OverflowError:
            raise self._beyond(event) from None
        preparation = self._preparation(event)
        priority = event.get("PRIORITY", 0)
        if not 0 <= int(priority) <= 9:
            raise self._error(event, f"has priority {priority}, expected 0 (none) to 9 (lowest)", "correct it")
        minutes = preparation.total_seconds() / 60
        zone = str(span.zone)
        return (name, str(event.get("SUMMARY", "")), begin, end, zone, span.all_day, recurring, int(priority), minutes)

    def _preparation(self, event: Any) -> timedelta:
        """As written, whether or not its value is said to be a duration, which the standard has for no X property."""
        value = event.get(PREPARATION)
        if value is None:
            return timedelta(0)
        lasts: Any = getattr(value, "dt", None)
        try:
            if lasts is None:
                lasts = icalendar.vDuration.from_ical(str(value))  # type: ignore[no-untyped-call]
        except ValueError:
            pass
        if not isinstance(lasts, timedelta) or lasts < timedelta(0):
            raise self._error(event, f"has {PREPARATION} {str(value)[:40]!r}", "give a duration such as PT30M")
        return lasts

    def _beyond(self, event: Any) -> InputError:
        return self._error(event, "lies before the year 1 or after the year 9999", "correct its times")

    def _utc(self, wall: datetime, zone: tzinfo, event: Any) -> datetime:
        first, second = wall.replace(tzinfo=zone), wall.replace(tzinfo=zone, fold=1)
        try:
            utc = first.astimezone(UTC)
        except OverflowError:
            raise self._beyond(event) from None
        if self.settings.clock_change == "refuse" and first.utcoffset() != second.utcoffset():
            skipped = utc.astimezone(zone).replace(tzinfo=None) != wall
            raise self._error(
                event,
                f"is at {wall:%Y-%m-%d %H:%M}, which the clock of {zone} {'skips' if skipped else 'shows twice'}",
                "correct it or set CalendarSettings.clock_change=standard",
            )
        return utc

    def _error(self, event: Any, reason: str, remedy: str) -> InputError:
        title = str(event.get("SUMMARY", "")) or str(event.get("UID", "an event"))
        return InputError(f"calendar: {self.file}: {title[:60]!r} {reason}: {remedy}")


def _until(times: Iterable[datetime], closing: datetime) -> Iterator[datetime]:
    for moment in times:
        if moment > closing:
            return
        yield moment


def _cancelled(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _dates(event: Any, name: str) -> list[date | datetime]:
    values = event.get(name, [])
    listed = [moment.dt for value in (values if isinstance(values, list) else [values]) for moment in value.dts]
    return [moment[0] if isinstance(moment, tuple) else moment for moment in listed]


def _on_face(moment: date | datetime, zone: tzinfo) -> datetime:
    """What the clock of a zone shows at a moment; a time without zone is on that clock."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time())
    return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment
