"""Tables of an order book as delimited text, read and written, separated by `,`, `;` or tabs."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.files import write_text
from twinloop.scheduling.files.content import read_text
from twinloop.scheduling.files.orders import CALENDAR, MACHINES, OF_OPERATION, ORDERS, REQUIRED
from twinloop.scheduling.files.sheets import Row, Sheet, column_of
from twinloop.scheduling.problem import JobShop
from twinloop.spreadsheets import as_text

DELIMITERS = (",", ";", "\t")
KNOWN = {*ORDERS, *MACHINES, *CALENDAR}
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
    """What separates the most known columns of a header, and how many these are."""
    known = {
        delimiter: sum(column_of(cell.strip(' "')).name in KNOWN for cell in header.split(delimiter))
        for delimiter in DELIMITERS
    }
    best = max(DELIMITERS, key=lambda delimiter: known[delimiter])
    return best, known[best]


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every line that is not blank; a broken quote raises csv.Error."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True, strict=True)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells


def order_rows(shop: JobShop) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of the sheet Orders; columns that say nothing are left out."""
    nothing: dict[str, Any] = {"release": 0, "weight": 1, "earliness_weight": 0, "firm": False, "after": ()}
    nothing |= {"due": None, "family": None, "resumable": False, "no_wait": False, "max_wait": None}
    rows = [
        {
            "job": job.name,
            "operation": number,
            "machine": mode.machine,
            "duration": mode.duration,
            **{name: getattr(job, name) for name in ("release", "due", "weight", "earliness_weight", "firm", "after")},
            **{name: getattr(operation, name) for name in OF_OPERATION},
        }
        for job in shop.jobs
        for number, operation in enumerate(job.operations)
        for mode in operation.modes
    ]
    header = [
        name for name in rows[0] if name in (*REQUIRED, "duration") or any(row[name] != nothing[name] for row in rows)
    ]
    return header, [[_cell(row[name]) for name in header] for row in rows]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return as_text("; ".join(value))
    return as_text(value) if isinstance(value, str) else value


def sayable(path: str | Path, shop: JobShop) -> None:
    """Raise InputError for a shop with more than machines, operations and jobs as rows can say."""
    if shop.setups or shop.transport or shop.pools or shop.materials or shop.frozen:
        raise InputError(f"{path}: an order book knows no set-ups, transport, pools, materials and frozen: write JSON")
    if shop.calendars or shop.repeat or shop.overtime:
        raise InputError(f"{path}: an order book knows no hours that repeat and no overtime: write JSON")
    if shop.ovens or any(operation.least_run > 1 for job in shop.jobs for operation in job.operations):
        raise InputError(f"{path}: an order book knows no ovens and least runs: write JSON")
    for names in (job.after for job in shop.jobs):
        if any(";" in name or "," in name for name in names):
            raise InputError(f"{path}: a job with a comma or semicolon in its name comes before another: write JSON")
    for name in (*shop.machines, *(job.name for job in shop.jobs)):
        if name != name.strip() or any(not c.isprintable() for c in name):
            raise InputError(f"{path}: name {name!r}: spaces around it or signs that do not print: write JSON")


def write_table(path: str | Path, shop: JobShop) -> None:
    """Write the orders as CSV. Raises InputError for what one table cannot say."""
    sayable(path, shop)
    used = {mode.machine for job in shop.jobs for o in job.operations for mode in o.modes}
    if shop.closed or shop.stops or shop.power or used != set(shop.machines):
        raise InputError(f"{path}: one table knows no calendars, power and machines without work: write XLSX or JSON")
    header, rows = order_rows(shop)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    write_text(path, text.getvalue())
