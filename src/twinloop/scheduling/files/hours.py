"""When machines, pools and people of an order book are there: the sheets Calendar, Shifts and Exceptions.

Calendar names windows: a `stop` (as well where nothing is said) happens once, `overtime` opens what is closed, `closed`
is closed outside of overtime, again and again where `repeat` gives a period. Shifts are weekly hours, Exceptions the
days that differ. A row for `all` is for every machine; rows of its own take their place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from twinloop.errors import InputError, nearest
from twinloop.numbers import counted
from twinloop.scheduling.clock import Clock
from twinloop.scheduling.files.cells import Cells
from twinloop.scheduling.files.days import day_of, o_clock, weekdays
from twinloop.scheduling.files.sheets import Form, Record, Sheet, records
from twinloop.scheduling.files.words import EVERY
from twinloop.scheduling.problem import Calendar, Day, Shift, Window
from twinloop.scheduling.problem.calendar import NEVER, joined

OF_ALL = {"pool": "machine", "pools": "machine", "operator": "machine", "group": "machine", "name": "machine"}
CALENDAR = Form(("machine", "start", "end", "kind", "repeat"), ("start", "end"), OF_ALL)
SHIFTS = Form(("machine", "days", "start", "end", "capacity", "zone"), ("start", "end"), OF_ALL)
EXCEPTIONS = Form(("machine", "date", "start", "end", "capacity"), ("date",), OF_ALL)
KINDS = {
    **dict.fromkeys(("", "stop", "stops", "stopp", "once", "maintenance", "wartung"), "stop"),
    **dict.fromkeys(("overtime", "open", "überstunden", "offen"), "overtime"),
    **dict.fromkeys(("closed", "geschlossen"), "closed"),
}
# In the column repeat: closed for good behind the last window.
ENDS = "ends"


@dataclass
class Hours:
    """By machine, pool or person; as those of `JobShop`."""

    calendars: dict[str, Calendar] = field(default_factory=dict)
    closed: dict[str, tuple[Window, ...]] = field(default_factory=dict)
    repeat: dict[str, int] = field(default_factory=dict)
    stops: dict[str, tuple[Window, ...]] = field(default_factory=dict)
    overtime: dict[str, tuple[Window, ...]] = field(default_factory=dict)

    def of(self, name: str) -> dict[str, Any]:
        """Those of a pool or person."""
        return {
            "closed": self.closed.get(name, ()),
            "calendar": self.calendars.get(name),
            "repeat": self.repeat.get(name),
            "stops": self.stops.get(name, ()),
            "overtime": self.overtime.get(name, ()),
        }

    def at(self, machines: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Those of machines, by the names of the shop's fields."""
        kinds: dict[str, dict[str, Any]] = {"calendars": self.calendars, "closed": self.closed, "repeat": self.repeat}
        kinds |= {"stops": self.stops, "overtime": self.overtime}
        return {kind: {name: by[name] for name in machines if name in by} for kind, by in kinds.items()}


class Names(NamedTuple):
    """What has hours: machines, and other names; groups stand for their machines."""

    machines: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    others: tuple[str, ...]

    def meant(self, record: Record) -> tuple[tuple[str, ...], bool]:
        """Names that a row is for, and whether it is for all machines. Raises InputError for an unknown one."""
        name = record.name("machine") or ""
        if name.lower() in EVERY:
            return self.machines, True
        known = (*self.machines, *self.others, *self.groups)
        if name not in known:
            hint = nearest(name, known)
            raise InputError(f"{record.where}: {name!r} is no machine, pool or person of the book: {hint}")
        if known.count(name) > 1:
            raise InputError(
                f"{record.where}: {name!r} is two things, like a machine and a pool: give one another name"
            )
        return self.groups.get(name, (name,)), False


def read_hours(sheets: Mapping[str, Sheet], names: Names, cells: Cells, notes: list[str]) -> Hours:
    """The hours that the three sheets give. Raises InputError with the place."""
    hours = Hours()
    if "Shifts" in sheets:
        hours.calendars = _weekly(sheets["Shifts"], names, cells, notes)
    if "Exceptions" in sheets:
        _exceptions(sheets["Exceptions"], names, cells, notes, hours.calendars)
    if "Calendar" in sheets:
        _windows(sheets["Calendar"], names, cells, notes, hours)
    return hours


def _weekly(sheet: Sheet, names: Names, cells: Cells, notes: list[str]) -> dict[str, Calendar]:
    own, every = dict[str, list[Shift]](), list[Shift]()
    zones = dict[str, str]()
    for record in records(sheet, SHIFTS, notes):
        record.need("start", "end")
        shift = Shift(
            o_clock(record.get("start"), "start", record.where),
            o_clock(record.get("end"), "end", record.where),
            weekdays(record.get("days"), record.where),
            _capacity(record, cells),
        )
        meant, is_all = names.meant(record)
        for name in ("",) if is_all else meant:
            (every if is_all else own.setdefault(name, [])).append(shift)
            zone = record.name("zone") or zones.get(name, "")
            if zones.setdefault(name, zone) != zone:
                raise InputError(f"{record.where}: zone {zone!r}, before it {zones[name]!r}: give it once")
        if is_all and shift.capacity is not None:
            raise InputError(f"{record.where}: capacity of all machines: name the pool that has so many")
    for shifts in (every, *own.values()):
        for shift in dict.fromkeys(shifts):
            shown = f"{' '.join(shift.days)} {shift.start} to {shift.end}".strip()
            if shifts.count(shift) > 1:
                notes.append(f"the same shift is there twice: {shown}")
            if shift.start == shift.end:
                notes.append(f"a shift from {shift.start} to {shift.end} lasts a whole day")
    start = _Start(cells.clock, sheet.where)
    calendars = {name: start.calendar(shifts, zones[name]) for name, shifts in own.items()}
    if every:
        calendars |= {name: start.calendar(every, zones[""]) for name in names.machines if name not in own}
        if special := [name for name in names.machines if name in own]:
            notes.append(f"shifts of their own, and none of those of all: {', '.join(special)}")
    elif always := [name for name in names.machines if name not in own]:
        notes.append(f"without shifts, and so always open: {', '.join(always)}")
    return {name: calendars[name] for name in (*names.machines, *names.others) if name in calendars}


class _Start(NamedTuple):
    """Makes calendars that begin at the clock's minute 0."""

    clock: Clock | None
    where: str

    def calendar(self, shifts: Sequence[Shift], zone: str) -> Calendar:
        """Weekly shifts. Raises InputError where minute 0 or the zone is not known."""
        if self.clock is None:
            raise InputError(f"{self.where}: shifts lie on dates: say when minute 0 is, by --start or a sheet Start")
        zone = zone or getattr(self.clock.zone, "key", None) or ("UTC" if str(self.clock.zone) == "UTC" else "")
        if not zone:
            raise InputError(
                f"{self.where}: shifts by the week follow the clocks of a zone, {self.clock.zone} is none: give "
                "--zone, like Europe/Berlin"
            )
        try:
            local = self.clock.start.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        except (KeyError, ValueError, OSError):
            raise InputError(f"{self.where}: zone {zone!r}: not known: expected a name like Europe/Berlin") from None
        begin = local.isoformat(timespec="auto" if local.second or local.microsecond else "minutes")
        calendar = Calendar(begin, tuple(shifts), zone=zone)
        if calendar.zero != self.clock.start:
            raise InputError(f"{self.where}: minute 0, {begin}, comes twice in {zone}: begin an hour earlier or later")
        return calendar


def _capacity(record: Record, cells: Cells) -> int | None:
    cell = record.get("capacity")
    if cell is None:
        return None
    value = cells.whole(cell, "capacity", record.where)
    if value < 0:
        raise InputError(f"{record.where}: capacity = {value}: expected a whole number ≥ 0")
    return value


def _exceptions(sheet: Sheet, names: Names, cells: Cells, notes: list[str], calendars: dict[str, Calendar]) -> None:
    """Adds the days that differ to the weekly hours."""
    if not calendars:
        raise InputError(f"{sheet.where}: exceptions to which hours? give weekly ones in a sheet Shifts")
    own, every = dict[str, dict[date, tuple[Shift, ...]]](), dict[date, tuple[Shift, ...]]()
    for record in records(sheet, EXCEPTIONS, notes):
        record.need("date")
        day, where = day_of(record.get("date"), record.where), record.where
        ends = [record.get("start"), record.get("end")]
        if (ends[0] is None) != (ends[1] is None):
            raise InputError(f"{where}: expected start and end of a shift, or neither where it is closed that day")
        shifts: tuple[Shift, ...] = ()
        if ends[0] is not None:
            first, last = (o_clock(cell, what, where) for cell, what in zip(ends, ("start", "end"), strict=True))
            shifts = (Shift(first, last, (), _capacity(record, cells)),)
        meant, is_all = names.meant(record)
        for days in [every] if is_all else [own.setdefault(name, {}) for name in meant]:
            if day in days and not (days[day] and shifts):
                raise InputError(f"{where}: {day} is there twice, once closed: keep one")
            days[day] = (*days.get(day, ()), *shifts)
        for name in () if is_all else meant:
            if name not in calendars:
                raise InputError(f"{where}: {name} has no weekly hours: give them in Shifts, or close it in Calendar")
    for name, calendar in calendars.items():
        days = {**every, **own.get(name, {})}
        special = tuple(Day(day.isoformat(), shifts) for day, shifts in days.items())
        calendars[name] = replace(calendar, exceptions=special)
    if every and (always := [name for name in names.machines if name not in calendars]):
        notes.append(f"without shifts, and so open on exceptions too: {', '.join(always)}")


def _windows(sheet: Sheet, names: Names, cells: Cells, notes: list[str], hours: Hours) -> None:
    """Adds the windows of the sheet Calendar."""
    kinds = {"stop": hours.stops, "overtime": hours.overtime, "closed": hours.closed}
    over = 0
    last_words = dict[str, tuple[str, int | None]]()
    for record in records(sheet, CALENDAR, notes):
        record.need("start", "end")
        where = record.where
        start = cells.instant(record.get("start"), "start", where, record.units.get("start"))
        end = cells.instant(record.get("end"), "end", where, record.units.get("end"), until=True)
        if end <= start:
            shown = f"{record.get('start')} to {record.get('end')}"
            raise InputError(f"{where}: closed from {shown}: expected its end after its start")
        kind, repeat = _kind(record, cells)
        windows = _within(start, end, repeat, where)
        over += not windows
        for name in names.meant(record)[0]:
            if kind == "closed" and last_words.setdefault(name, (where, repeat))[1] != repeat:
                before = last_words[name][0].rpartition(": ")[2]
                raise InputError(f"{where}: {name} repeats otherwise than in {before}: give it one repeat")
            kinds[kind][name] = (*kinds[kind].get(name, ()), *windows)
    for by_name in kinds.values():
        by_name.update({name: joined(windows) for name, windows in by_name.items()})
        for name in [name for name, windows in by_name.items() if not windows]:
            del by_name[name]
    for name, (where, repeat) in last_words.items():
        if repeat:
            hours.repeat[name] = repeat
        elif repeat == 0 and len(hours.closed.get(name, ())) == 1:
            # One window alone is a closure, behind which it opens again.
            hours.closed[name] = (Window(hours.closed[name][0].start, NEVER),)
        elif repeat is None and len(hours.closed.get(name, ())) > 1 and name not in hours.calendars:
            raise InputError(
                f"{where}: {name} is closed several times, and behind the last? give repeat (like 1 d), ends where it "
                "is closed for good, or the kind stop"
            )
    if over:
        notes.append(f"{counted(over, 'closed window')} before the start left out")
    if hours.stops:
        notes.append("each closed window happens once: machines are open behind the last one")


def _kind(record: Record, cells: Cells) -> tuple[str, int | None]:
    """The kind of a window, and its period: None where nothing is said, 0 where it ends."""
    text = (record.name("kind") or "").lower()
    if text not in KINDS:
        raise InputError(f"{record.where}: kind = {text!r}: {nearest(text, ('stop', 'closed', 'overtime'))}")
    kind, cell = KINDS[text], record.get("repeat")
    if cell is None:
        return kind, None
    if kind == "stop" and not text:
        kind = "closed"
    if kind != "closed":
        raise InputError(f"{record.where}: repeat is for windows of the kind closed, this one is {kind}: remove it")
    if str(cell).lower() == ENDS:
        return kind, 0
    repeat = cells.length(cell, "repeat", record.where, record.units.get("repeat"))
    if repeat < 1:
        raise InputError(f"{record.where}: repeat = {cell}: expected a length of time above 0, or {ENDS}")
    return kind, repeat


def _within(start: int, end: int, repeat: int | None, where: str) -> list[Window]:
    """The window behind time 0, or within the first period; none where it is over."""
    if not repeat:
        return [Window(max(0, start), end)] if end > 0 else []
    if end - start > repeat:
        raise InputError(f"{where}: a window of {end - start} minutes repeats every {repeat}: expected a longer period")
    first, last = start % repeat, start % repeat + end - start
    if last <= repeat:
        return [Window(first, last)]
    return [Window(0, last - repeat), Window(first, repeat)]
