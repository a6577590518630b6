"""A sheet of an order book: named columns with their units, rows with their places, whatever file it came from."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from twinloop.errors import InputError, near
from twinloop.spreadsheets import as_read

Cell = str | int | float | bool | date | datetime | time | timedelta | None
UNITS = {"min": 1.0, "h": 60.0, "s": 1 / 60, "d": 1440.0}
UNIT_NAMES = {
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("d", "day", "days"), "d"),
}
ALIASES = {
    **dict.fromkeys(("order", "order_no", "order_number", "job_name", "work_order"), "job"),
    **dict.fromkeys(("op", "step", "operation_no", "operation_number"), "operation"),
    **dict.fromkeys(("resource", "work_center", "workcenter", "work_centre", "machine_name"), "machine"),
    **dict.fromkeys(("processing_time", "work_time"), "duration"),
    **dict.fromkeys(("release_date", "earliest_start"), "release"),
    **dict.fromkeys(("due_date", "delivery_date"), "due"),
    **dict.fromkeys(("from", "begin", "closed_from"), "start"),
    **dict.fromkeys(("to", "until", "closed_until"), "end"),
    **dict.fromkeys(("qty", "pieces"), "quantity"),
    **dict.fromkeys(("time_per_piece", "piece_duration"), "piece_time"),
    **dict.fromkeys(("lot_size", "transfer_lot"), "lot"),
    **dict.fromkeys(("machine_group", "work_group"), "group"),
    "predecessors": "after",
    "mean_time_to_failure": "mttf",
    "mean_repair": "mttr",
    "mean_repair_time": "mttr",
}


class Row(NamedTuple):
    """Cells in the order of the header, and where they stand."""

    where: str
    cells: tuple[Cell, ...]


class Sheet(NamedTuple):
    """`name`: of the sheet or file, empty for a file that is all there is. `where`: of the header."""

    name: str
    where: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]


class Column(NamedTuple):
    """A column that is known, and the unit that its header names."""

    name: str
    unit: str | None


def column_of(header: str) -> Column:
    """The column that a header means: capitals, spaces and a unit behind it do not matter.

    >>> column_of("Duration (h)"), column_of("Due Date")
    (Column(name='duration', unit='h'), Column(name='due', unit=None))
    """
    words = re.findall(r"[^\W_]+", header.lower())
    unit = UNIT_NAMES.get(words[-1]) if len(words) > 1 else None
    name = "_".join(words[:-1] if unit else words)
    if name in ("minutes", "hours"):
        return Column("duration", UNIT_NAMES[name])
    return Column(ALIASES.get(name, name), unit)


def records(
    sheet: Sheet, known: Collection[str], required: Sequence[str], refused: Mapping[str, str], notes: list[str]
) -> Iterator[tuple[str, dict[str, Cell], dict[str, str]]]:
    """(place, cells by known column, unit by column) of every row that is not blank; other columns are noted.

    Raises InputError for a column that is missing, there twice, refused, or misspelt by a letter or two.
    """
    places: dict[str, int] = {}
    units: dict[str, str] = {}
    ignored = []
    for place, header in enumerate(sheet.header):
        name, unit = column_of(header)
        if name in known:
            if name in places:
                both = f"{sheet.header[places[name]]!r} and {header!r}"
                raise InputError(f"{sheet.where}: columns {both} both say {name}: keep one")
            places[name] = place
            if unit:
                units[name] = unit
        elif name in refused:
            raise InputError(f"{sheet.where}: column {header!r}: {refused[name]}")
        elif guess := near(name, known):
            raise InputError(f"{sheet.where}: unknown column {header!r}: did you mean {guess!r}?")
        elif header:
            ignored.append(header)
    missing = [name for name in required if name not in places]
    if missing:
        raise InputError(f"{sheet.where}: {missing[0]} missing; known: {', '.join(known)}")
    if ignored:
        notes.append(f"columns not read: {', '.join(ignored)}")
    for row in sheet.rows:
        if any(cell not in (None, "") for cell in row.cells):
            yield row.where, {name: _plain(row.cells[place]) for name, place in places.items()}, units


def _plain(cell: Cell) -> Cell:
    return (
        None if isinstance(cell, str) and not cell.strip() else as_read(cell.strip()) if isinstance(cell, str) else cell
    )


def text_of(cell: Cell) -> str | None:
    """A name; a number that a spreadsheet made of one is its digits."""
    if cell is None:
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
