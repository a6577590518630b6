"""A sheet of an order book: named columns with their units, rows with their places, whatever file it came from."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from twinloop.errors import InputError, near
from twinloop.numbers import counted
from twinloop.scheduling.files.words import COLUMNS, UNIT_NAMES
from twinloop.spreadsheets import as_read

Cell = str | int | float | bool | date | datetime | time | timedelta | None
# So many rows may stand above the header: a title, a date, a blank one.
ABOVE = 10


class Row(NamedTuple):
    """Cells in the order of the header, and where they stand."""

    where: str
    cells: tuple[Cell, ...]


class Sheet(NamedTuple):
    """`name`: of the sheet or file, empty for a file that is all there is. `where`: of the header.

    notes: what was assumed when it was read.
    """

    name: str
    where: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


class Form(NamedTuple):
    """The columns of a sheet: `known` ones, and those of them that it needs.

    aliases: what names of other sheets mean here. refused: what to do instead, by name of a column that is not taken.
    """

    known: tuple[str, ...]
    required: tuple[str, ...]
    aliases: Mapping[str, str] = {}
    refused: Mapping[str, str] = {}


class Record(NamedTuple):
    """One row: its place, its cells by known column, and the units that the header gives to columns."""

    where: str
    cells: dict[str, Cell]
    units: Mapping[str, str]

    def get(self, name: str) -> Cell:
        """A cell; None for one that is empty or not there."""
        return self.cells.get(name)

    def name(self, column: str) -> str | None:
        """A name, as `name_of`."""
        return name_of(self.cells.get(column), column, self.where)

    def text(self, column: str) -> str:
        """A name. Raises InputError for an empty cell."""
        self.need(column)
        return self.name(column) or ""

    def need(self, *names: str) -> None:
        """Raise InputError for the first of the cells that is empty."""
        for name in names:
            if self.get(name) is None:
                raise InputError(f"{self.where}: {name} is empty")


class Column(NamedTuple):
    """A column that is known, and the unit that its header names."""

    name: str
    unit: str | None


def words_of(text: str) -> str:
    """Small letters, words joined by an underscore.

    >>> words_of("Set-up times")
    'set_up_times'
    """
    return "_".join(re.findall(r"[^\W_]+", text.lower()))


def column_of(header: str) -> Column:
    """The column that a header means: capitals, spaces and a unit behind it do not matter.

    >>> column_of("Duration (h)"), column_of("Due Date")
    (Column(name='duration', unit='h'), Column(name='due', unit=None))
    """
    words = words_of(header).split("_")
    unit = UNIT_NAMES.get(words[-1]) if len(words) > 1 else None
    name = "_".join(words[:-1] if unit else words)
    if name in ("minutes", "hours", "minuten", "stunden"):
        return Column("duration", UNIT_NAMES[name])
    return Column(COLUMNS.get(name, name), unit)


def headed(sheet: Sheet, form: Form) -> Sheet:
    """The sheet from its header on, where rows stand above it; as it is where no row names all that it needs."""

    def names(cells: Sequence[Cell]) -> set[str]:
        columns = {column_of(cell).name for cell in cells if isinstance(cell, str)}
        return {form.aliases.get(name, name) for name in columns}

    if set(form.required) <= names(sheet.header):
        return sheet
    for number, row in enumerate(sheet.rows[:ABOVE]):
        if set(form.required) <= names(row.cells):
            header = tuple("" if cell is None else str(cell).strip() for cell in row.cells)
            note = f"{counted(number + 1, 'row')} above the header of {sheet.name or 'the table'} not read"
            return Sheet(sheet.name, row.where, header, sheet.rows[number + 1 :], (*sheet.notes, note))
    return sheet


def records(sheet: Sheet, form: Form, notes: list[str]) -> Iterator[Record]:
    """Every row that is not blank, by the sheet's header; columns that are not known are noted.

    Raises InputError for a column that is missing, there twice, refused, or misspelt by a letter or two.
    """
    sheet = headed(sheet, form)
    notes += [note for note in sheet.notes if note not in notes]
    places, units = _places(sheet, form, notes)
    for row in sheet.rows:
        if any(plain(cell) is not None for cell in row.cells):
            yield Record(row.where, {name: plain(row.cells[place]) for name, place in places.items()}, units)


def _places(sheet: Sheet, form: Form, notes: list[str]) -> tuple[dict[str, int], dict[str, str]]:
    places: dict[str, int] = {}
    units: dict[str, str] = {}
    ignored = []
    for place, header in enumerate(sheet.header):
        column, unit = column_of(header)
        name = form.aliases.get(column, column)
        given = words_of(header)
        if name in form.known:
            if name in places:
                both = f"{sheet.header[places[name]]!r} and {header!r}"
                raise InputError(f"{sheet.where}: columns {both} both say {name}: keep one")
            places[name] = place
            if unit:
                units[name] = unit
        elif name in form.refused:
            raise InputError(f"{sheet.where}: column {header!r}: {form.refused[name]}")
        elif guess := near(given, form.known):
            raise InputError(f"{sheet.where}: unknown column {header!r}: did you mean {guess!r}?")
        elif header:
            ignored.append(header)
        elif any(place < len(row.cells) and plain(row.cells[place]) is not None for row in sheet.rows):
            ignored.append(f"number {place + 1}, which has no name")
    missing = [name for name in form.required if name not in places]
    if missing:
        raise InputError(f"{sheet.where}: {missing[0]} missing; known: {', '.join(form.known)}")
    if ignored:
        notes.append(f"columns not read{f' in {sheet.name}' if sheet.name else ''}: {', '.join(ignored)}")
    return places, units


def plain(cell: Cell) -> Cell:
    """A cell without spaces around it and without a spreadsheet's apostrophe; None for a blank one."""
    if not isinstance(cell, str):
        return cell
    return as_read(cell.strip()) if cell.strip() else None


def name_of(cell: Cell, column: str, where: str) -> str | None:
    """A name; a number that a spreadsheet made of one is its digits. Raises InputError for a date."""
    if isinstance(cell, date | time | timedelta):
        raise InputError(f"{where}: {column} = {cell}: a date where a name is expected: format it as text")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return None if cell is None else str(cell)
