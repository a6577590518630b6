"""What the cells of an order book say: whole numbers, lengths of time, moments, yes and no.

A length is in minutes unless its header, its row or the cell names a unit; `1:30` is hours and minutes. What is not a
whole minute is rounded to the safe side and counted. A number that may be a thousand or a fraction is refused.
"""

import math
import re
from datetime import date, datetime, time, timedelta

from twinloop.config.schema import brief
from twinloop.errors import InputError
from twinloop.numbers import counted
from twinloop.scheduling.clock import Clock, parsed_moment
from twinloop.scheduling.files.sheets import Cell
from twinloop.scheduling.files.words import NO, UNIT_NAMES, UNITS, YES

NUMBER = re.compile(r"-?\d{1,15}(?:[.,]\d{1,9})?", re.ASCII)
THOUSAND = re.compile(r"-?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
HOURS = re.compile(r"(\d{1,5}):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
WITH_UNIT = re.compile(r"(\S+?)\s*([a-z]+)", re.ASCII)
AMOUNT = re.compile(r"(.+?)\s*[:=]\s*(\S+)")
# Days since 1900 from 2020 to 2050: what a date is in a cell that is not formatted as one.
SERIALS = (43_831, 55_153)
# Ten years in minutes: dates so far from the start are slips of the pen.
FAR_OFF = 10 * 366 * 1440
# Numbers with a fraction below this many are as likely hours as minutes.
HOURS_LIKELY = 24


class Cells:
    """Reads cells of one file; `rounded` counts lengths and dates that were no whole minutes.

    unnamed: whether a length had no unit, and so was taken for minutes.
    """

    def __init__(self, clock: Clock | None) -> None:
        self.clock = clock
        self.rounded = 0
        self.day_ends = 0
        self.whole_days = 0
        self.unnamed = False

    def whole(self, cell: Cell, what: str, where: str) -> int:
        """A whole number."""
        value = _number(cell, what, where)
        if value is None or value != int(value):
            raise InputError(f"{where}: {what} = {brief(cell)}: expected a whole number")
        return int(value)

    def yes(self, cell: Cell, what: str, where: str) -> bool:
        """Yes or no."""
        word = str(int(cell) if isinstance(cell, bool | float) else cell).lower()
        if word not in (*YES, *NO):
            raise InputError(f"{where}: {what} = {brief(cell)}: expected yes or no")
        return word in YES

    def length(self, cell: Cell, what: str, where: str, unit: str | None) -> int:
        """Whole minutes, rounded up."""
        minutes = _minutes(cell, what, where, unit)
        if minutes is None:
            raise InputError(
                f"{where}: {what} = {brief(cell)}: expected a whole number of minutes, 1:30, or a number with its unit "
                "(90 min, 1.5 h)"
            )
        if unit is None and _relative(cell):
            self.unnamed = self.unnamed or minutes != 0
            if minutes != int(minutes) and minutes < HOURS_LIKELY:
                raise InputError(
                    f"{where}: {what} = {brief(cell)}: minutes or hours? write {minutes:g} min or {minutes:g} h, or "
                    f"name the column {what} (min) or {what} (h)"
                )
        _not_negative(minutes, cell, what, where)
        # A third of an hour is 20 minutes, whatever floating point makes of it.
        whole = math.ceil(minutes - 1e-6)
        self.rounded += abs(whole - minutes) > 1e-6
        return whole

    def time(self, cell: Cell, what: str, where: str, unit: str | None) -> float:
        """Minutes, as given: what belongs to a piece is rounded with all pieces."""
        minutes = _minutes(cell, what, where, unit)
        if minutes is None:
            raise InputError(f"{where}: {what} = {brief(cell)}: expected a number of minutes, or with its unit (20 s)")
        _not_negative(minutes, cell, what, where)
        return minutes

    def amounts(self, cell: Cell, what: str, where: str) -> tuple[tuple[str, int], ...]:
        """Names with whole numbers, one where none is given: "crane; people: 2"."""
        amounts: dict[str, int] = {}
        for item in items(cell):
            parts = AMOUNT.fullmatch(item)
            name, number = (parts[1], self.whole(parts[2], f"{what}: {parts[1]}", where)) if parts else (item, 1)
            if name in amounts:
                raise InputError(f"{where}: {what} = {brief(cell)}: {name} is there twice: give it once")
            amounts[name] = number
        return tuple(amounts.items())

    def instant(
        self, cell: Cell, what: str, where: str, unit: str | None, *, last: bool = False, until: bool = False
    ) -> int:
        """Whole minutes since the start: of a number, or of a date where a start is given.

        last: a date without a time is its end, and what is no whole minute is rounded down. until: the end of a day as
        well, but rounded up.
        """
        moment = _moment(cell)
        if moment is None:
            minutes = _minutes(cell, what, where, unit) if _relative(cell) else None
            if minutes is None:
                slashed = isinstance(cell, str) and re.fullmatch(r"\d+/\d+/\d+.*", cell)
                clock = isinstance(cell, time) or (isinstance(cell, str) and HOURS.fullmatch(cell))
                doubt = ": day or month first? write it" if slashed else ": of which day? write it" if clock else ""
                raise InputError(
                    f"{where}: {what} = {brief(str(cell) if clock else cell)}: expected a whole number of minutes or a "
                    f"date{doubt}{' ' if doubt else ', '}like 2026-12-01 14:00"
                )
            if unit is None and SERIALS[0] <= minutes < SERIALS[1]:
                day = date(1899, 12, 30) + timedelta(days=int(minutes))
                raise InputError(
                    f"{where}: {what} = {brief(cell)}: minutes, or {day} as a spreadsheet counts days? format it as a "
                    f"date, or name the column {what} (min)"
                )
            if unit is None and (meant := _in_one_number(minutes)) is not None:
                raise InputError(
                    f"{where}: {what} = {brief(cell)}: a date? write {meant}; minutes? name the column {what} (min)"
                )
        else:
            if self.clock is None:
                raise InputError(
                    f"{where}: {what} = {brief(str(cell))} is a date: say when minute 0 is, as start, like "
                    "2026-12-01T06:00+01:00"
                )
            if not isinstance(moment, datetime):
                self.day_ends += last
                self.whole_days += until
            try:
                minutes = self.clock.minutes(moment, end_of_day=last or until)
            except InputError as error:
                raise InputError(f"{where}: {what}: {error}") from None
            except OverflowError:
                raise InputError(f"{where}: {what} = {brief(str(cell))}: expected a date of this age") from None
            if abs(minutes) > FAR_OFF:
                when = "before" if minutes < 0 else "behind"
                raise InputError(
                    f"{where}: {what} = {brief(str(cell))}: more than ten years {when} the start: a wrong year?"
                )
        whole = math.floor(minutes + 1e-6) if last else math.ceil(minutes - 1e-6)
        self.rounded += abs(whole - minutes) > 1e-6
        return whole

    def notes(self) -> list[str]:
        """What was assumed, in words."""
        notes = []
        if self.clock is not None and self.day_ends:
            notes.append("due dates without a time are the end of their day")
        if self.rounded:
            notes.append(f"{counted(self.rounded, 'time')} rounded to whole minutes")
        if self.whole_days:
            notes.append("windows that end on a date without a time last until the end of that day")
        if self.unnamed:
            notes.append("times without a unit are minutes")
        return notes


def items(cell: Cell) -> list[str]:
    """The names of a list, separated by semicolons or commas; a number is its digits."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = "" if cell is None else str(cell)
    return [item.strip() for item in text.replace(",", ";").split(";") if item.strip()]


def _relative(cell: Cell) -> bool:
    return isinstance(cell, int | float) or (isinstance(cell, str) and NUMBER.fullmatch(cell) is not None)


def _not_negative(minutes: float, cell: Cell, what: str, where: str) -> None:
    if minutes < 0:
        raise InputError(f"{where}: {what} = {brief(cell)}: expected a length of time, 0 or longer")


def _in_one_number(minutes: float) -> date | None:
    """The date that a number of eight digits is (20260331); None for others."""
    try:
        return datetime.strptime(str(int(minutes)), "%Y%m%d").date() if 19000101 <= minutes < 21000101 else None
    except ValueError:
        return None


def _moment(cell: Cell) -> datetime | date | None:
    if isinstance(cell, datetime | date):
        return cell
    return parsed_moment(cell) if isinstance(cell, str) else None


def _minutes(cell: Cell, what: str, where: str, unit: str | None) -> float | None:
    """Minutes of a cell; None for one that is no length of time."""
    if isinstance(cell, time):
        return cell.hour * 60 + cell.minute + cell.second / 60
    if isinstance(cell, timedelta):
        return cell.total_seconds() / 60
    if isinstance(cell, str):
        if clock := HOURS.fullmatch(cell):
            if unit not in (None, "h"):
                raise InputError(
                    f"{where}: {what} = {cell!r}: hours and minutes in a column of {unit}: write 90 or 1:30"
                )
            return int(clock[1]) * 60 + int(clock[2]) + int(clock[3] or 0) / 60
        if not NUMBER.fullmatch(cell) and (parts := WITH_UNIT.fullmatch(cell.lower())) and parts[2] in UNIT_NAMES:
            own = UNIT_NAMES[parts[2]]
            if unit not in (None, own):
                raise InputError(f"{where}: {what} = {cell!r}: two units, {own} and {unit}: keep one")
            cell, unit = parts[1], own
    value = _number(cell, what, where)
    return None if value is None else value * UNITS[unit or "min"]


def _number(cell: Cell, what: str, where: str) -> float | None:
    """A number; None for a cell that is none."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        if not math.isfinite(cell) or abs(cell) > 10**15:
            raise InputError(f"{where}: {what} = {brief(cell)}: expected a finite number")
        return cell
    if not isinstance(cell, str) or not NUMBER.fullmatch(cell):
        return None
    if THOUSAND.fullmatch(cell):
        raise InputError(
            f"{where}: {what} = {cell!r}: a thousand or a fraction? write {cell.replace('.', '').replace(',', '')} or "
            f"{cell}0"
        )
    return float(cell.replace(",", ".")) if not cell.lstrip("-").isdigit() else int(cell)
