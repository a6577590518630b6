"""What cells say of days: a time of day, days of the week, a date."""

import re
from datetime import date, datetime, time, timedelta

from twinloop.config.schema import brief
from twinloop.errors import InputError
from twinloop.scheduling.clock import parsed_moment
from twinloop.scheduling.files.sheets import Cell
from twinloop.scheduling.files.words import DAYS, EVERY_DAY
from twinloop.scheduling.problem.weekly import WEEK

O_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::00)?(?: ?(?:h|uhr))?", re.ASCII | re.IGNORECASE)
RANGE = re.compile(r"\s*(?:-|–|—|\bto\b|\bbis\b)\s*")
WORKDAYS = ("workdays", "working days", "weekdays", "werktags", "werktage")


def o_clock(cell: Cell, what: str, where: str) -> str:
    """A time of day, "00:00" to "24:00". Raises InputError."""
    minutes: float | None = None
    if isinstance(cell, datetime) and cell.date() <= date(1900, 1, 1):
        # What a spreadsheet makes of 24:00.
        minutes = 1440 if (cell.hour, cell.minute) == (0, 0) else None
    elif isinstance(cell, time):
        minutes = cell.hour * 60 + cell.minute + cell.second / 60
    elif isinstance(cell, timedelta):
        minutes = cell.total_seconds() / 60
    elif isinstance(cell, str) and (clock := O_CLOCK.fullmatch(cell)) and int(clock[2]) < 60:
        minutes = int(clock[1]) * 60 + int(clock[2])
    if minutes is None or minutes != int(minutes) or not 0 <= minutes <= 1440:
        raise InputError(f"{where}: {what} = {brief(cell)}: expected a time of day from 00:00 to 24:00")
    return f"{int(minutes) // 60:02d}:{int(minutes) % 60:02d}"


def weekdays(cell: Cell, where: str) -> tuple[str, ...]:
    """Days of the week, in their order as given; none for every day. Raises InputError.

    >>> weekdays("Mo-Mi, Sat", "orders.csv:2")
    ('Mon', 'Tue', 'Wed', 'Sat')
    """
    text = str(cell).lower().strip() if cell is not None else ""
    if text in EVERY_DAY:
        return ()
    if text in WORKDAYS:
        raise InputError(f"{where}: days = {brief(cell)}: with Saturday or without? write Mon-Fri or Mon-Sat")
    days: list[str] = []
    for part in re.split(r"[,;/+&]|\band\b|\bund\b", text):
        ends = [DAYS.get(end.strip(" .")) for end in RANGE.split(part.strip(), maxsplit=1)]
        if None in ends:
            raise InputError(f"{where}: days = {brief(cell)}: expected days like Mon-Fri or Mon, Wed; empty: every day")
        first, last = (WEEK.index(str(end)) for end in (ends[0], ends[-1]))
        days += [WEEK[k % 7] for k in range(first, (last if last >= first else last + 7) + 1)]
    return tuple(dict.fromkeys(days))


def day_of(cell: Cell, where: str) -> date:
    """A date without a time. Raises InputError."""
    moment = parsed_moment(cell) if isinstance(cell, str) else cell
    if isinstance(moment, datetime) and moment.time() == time(0) and moment.tzinfo is None:
        moment = moment.date()
    if isinstance(moment, datetime) or not isinstance(moment, date):
        raise InputError(f"{where}: date = {brief(str(cell))}: expected a day like 2026-12-24")
    return moment
