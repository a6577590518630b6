"""Rows of a table beside images, as spreadsheet programs write them.

CSV of any separator (also blanks) and encoding; of a workbook every sheet. Cells are text without blanks around them.
"""

import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from twinloop.errors import InputError
from twinloop.spreadsheets import HINT, as_utf8
from twinloop.vision.datasets.samples import printable

Row = tuple[int, tuple[str, ...]]
MAX_ROWS = 2_000_000
# Lines that show what parts their cells; a title or a remark may hold any sign.
SIGNS, LOOKED_AT = ";\t|,", 20


def sheets(path: Path, *, limit: int = MAX_ROWS) -> dict[str, list[Row]]:
    """Line numbers and cells of every row that is not blank, by the name of the sheet ("" in a text file).

    limit: rows looked at in each. Raises InputError for what is no table.
    """
    if path.suffix.lower() == ".xlsx":
        return _workbook(path, limit)
    return {"": [row for row in islice(_delimited(path), limit) if any(row[1])]}


def _delimited(path: Path) -> Iterator[Row]:
    content = as_utf8(path.read_bytes())
    hint = HINT.match(content.removeprefix(b"\xef\xbb\xbf"))
    text = content.decode("utf-8-sig", errors="replace")
    lines = text.splitlines()
    looked = lines[:LOOKED_AT]
    sign = hint[1].decode("ascii", "replace") if hint else max(SIGNS, key=lambda sign: sum(sign in x for x in looked))
    try:
        if any(sign in line for line in looked):
            rows = enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=sign), start=1)
            yield from (
                (number, tuple(cell.strip() for cell in cells)) for number, cells in islice(rows, bool(hint), None)
            )
        else:
            yield from ((number, tuple(line.split())) for number, line in enumerate(lines, start=1))
    except csv.Error as error:
        raise InputError(f"data: {printable(str(path))}: expected CSV, found: {error}") from None


def _workbook(path: Path, limit: int) -> dict[str, list[Row]]:
    import openpyxl  # costs a third of a second, for those who have a workbook

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        read = {}
        for sheet in book.worksheets:
            numbered = enumerate(sheet.iter_rows(values_only=True, max_row=limit), start=1)
            cells = ((number, tuple("" if c is None else str(c).strip() for c in row)) for number, row in numbered)
            read[sheet.title] = [row for row in cells if any(row[1])]
        book.close()
        return read
    except Exception as error:  # a damaged workbook raises whatever its XML and zip readers do
        raise InputError(
            f"data: {printable(str(path))}: expected a workbook, cannot be read ({str(error)[:80]}): save it as CSV"
        ) from None
