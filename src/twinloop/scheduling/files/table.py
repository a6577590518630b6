"""Tables of an order book as delimited text, read and written, separated by `,`, `;` or tabs."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.files import write_text
from twinloop.scheduling.files.book import book_sheets
from twinloop.scheduling.files.content import read_text
from twinloop.scheduling.files.orders import ORDERS, REQUIRED
from twinloop.scheduling.files.sheets import Row, Sheet, column_of
from twinloop.scheduling.files.words import COLUMNS
from twinloop.scheduling.problem import JobShop

DELIMITERS = (",", ";", "\t")
KNOWN = {*ORDERS.known, *COLUMNS.values()}
FOLDER = (".csv", ".tsv")


def looks_like_table(text: str) -> bool:
    """Whether the first line names two columns of an order book."""
    return _delimiter(_first_line(text))[1] >= 2


def table_sheets(text: str, path: Path, name: str = "") -> list[Sheet]:
    """The one sheet of a text. Raises InputError with file:row."""
    # A spreadsheet program's own hint at what separates cells.
    hint = re.match(r"sep=([,;\t])\r?\n", text)
    text = f"\n{text[hint.end() :]}" if hint else text
    delimiter = hint[1] if hint else _delimiter(_first_line(text))[0]
    try:
        lines = list(_lines(text, delimiter))
    except csv.Error as error:
        raise InputError(f"{path}: cannot be read as CSV: {error}") from None
    if not lines:
        raise InputError(f"{path}:1: expected a header with {', '.join(REQUIRED)}, got an empty file")
    (first, header), *rows = lines
    for line, cells in rows:
        if len(cells) != len(header):
            raise InputError(
                f"{path}:{line}: expected {len(header)} cells as in the header, got {len(cells)} (separated by "
                f"{delimiter!r})"
            )
    return [
        Sheet(
            name,
            f"{path}:{first}",
            tuple(cell.strip() for cell in header),
            tuple(Row(f"{path}:{line}", tuple(cells)) for line, cells in rows),
        )
    ]


def folder_sheets(folder: Path) -> list[Sheet]:
    """The tables of a folder, by their names. Raises InputError where there are none."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in FOLDER and not path.name.startswith("."))
    if not files:
        raise InputError(f"{folder}: expected tables like orders.csv, machines.csv and calendar.csv, found none")
    return [sheet for path in files for sheet in table_sheets(read_text(path).text, path, path.stem)]


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")


def _delimiter(header: str) -> tuple[str, int]:
    """What separates the most known columns of a header, or else the most cells, and how many columns are known."""
    known = {
        delimiter: sum(column_of(cell.strip(' "')).name in KNOWN for cell in header.split(delimiter))
        for delimiter in DELIMITERS
    }
    best = max(DELIMITERS, key=lambda delimiter: (known[delimiter], header.count(delimiter)))
    return best, known[best]


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every line that is not blank; a broken quote raises csv.Error."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True, strict=True)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells


def write_table(path: str | Path, shop: JobShop) -> None:
    """Write the orders as CSV. Raises InputError for what one table cannot say."""
    sheets = book_sheets(path, shop)
    used = {mode.machine for job in shop.jobs for o in job.operations for mode in o.modes}
    more = [name for name in sheets if name not in ("Orders", "Machines")]
    if more or len(sheets["Machines"][0]) > 1 or used != set(shop.machines):
        what = ", ".join(more) or "machines without work, their power and how they are set up"
        raise InputError(f"{path}: one table knows no {what}: write JSON, XLSX or a folder")
    write_text(path, _delimited(sheets["Orders"]))


def write_folder(folder: str | Path, shop: JobShop) -> None:
    """Write a table for each sheet into a folder, which has none yet. Raises InputError."""
    sheets = book_sheets(folder, shop)
    if old := [path.name for path in sorted(Path(folder).iterdir()) if path.suffix.lower() in FOLDER]:
        raise InputError(f"{folder}: has tables already, like {old[0]}: name an empty folder")
    for name, table in sheets.items():
        write_text(Path(folder) / f"{name.lower().replace(' ', '_')}.csv", _delimited(table))


def _delimited(table: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    return text.getvalue()
