"""Order books as XLSX workbooks, read and written with openpyxl.

A date without a time in its format is a day. A formula counts by the value that the spreadsheet program left in the
file; one without a value is refused, as is an error. Cells of a column that are merged all have their value.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.files import atomic
from twinloop.numbers import counted
from twinloop.scheduling.files.book import book_sheets
from twinloop.scheduling.files.sheets import Cell, Row, Sheet
from twinloop.scheduling.problem import JobShop

LARGEST = 500_000_000
MOST_COLUMNS = 200


def workbook_sheets(content: bytes, path: Path) -> list[Sheet]:
    """The sheets of a workbook that have cells. Raises InputError with sheet and row."""
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(info.file_size for info in archive.infolist()) > LARGEST:
                raise InputError(f"{path}: an XLSX workbook of more than {LARGEST // 10**6} MB: expected a shop")
        # Values as the spreadsheet program saved them, and beside them which are formulas.
        values, formulas = (
            openpyxl.load_workbook(io.BytesIO(content), data_only=data_only) for data_only in (True, False)
        )
    except InputError:
        raise
    except Exception as error:
        # A broken workbook meets zip, XML and openpyxl's own errors; each is the same to a reader.
        reason = str(error) or type(error).__name__
        raise InputError(f"{path}: an XLSX workbook that is broken or cut short: {reason}: save it again") from None
    sheets = []
    for sheet in values.worksheets:
        rows = list(_rows(sheet, formulas[sheet.title], f"{path}: sheet {sheet.title}"))
        if rows:
            header, *others = rows
            names = tuple("" if cell is None else str(cell).strip() for cell in header.cells)
            sheets.append(Sheet(sheet.title, header.where, names, tuple(others), tuple(_notes(sheet))))
    if not sheets:
        raise InputError(f"{path}: an XLSX workbook without cells: expected a sheet Orders")
    return sheets


def _rows(sheet: Any, formulas: Any, where: str) -> Iterator[Row]:
    if sheet.max_column > MOST_COLUMNS:
        raise InputError(f"{where}: {sheet.max_column} columns: expected at most {MOST_COLUMNS}")
    merged = {
        (row, part.min_col): part.min_row
        for part in sheet.merged_cells.ranges
        if part.min_col == part.max_col
        for row in range(part.min_row + 1, part.max_row + 1)
    }
    for cells, originals in zip(sheet.iter_rows(), formulas.iter_rows(), strict=True):
        place = f"{where} row {cells[0].row}"
        pairs = list(zip(cells, originals, strict=True))
        for k, cell in enumerate(cells):
            if (first := merged.get((cell.row, cell.column))) is not None:
                pairs[k] = (sheet.cell(first, cell.column), formulas.cell(first, cell.column))
        read = tuple(_value(cell, original, place) for cell, original in pairs)
        if any(cell not in (None, "") for cell in read):
            yield Row(place, read)


def _notes(sheet: Any) -> Iterator[str]:
    hidden = sum(sheet.row_dimensions[row].hidden for row in range(1, sheet.max_row + 1) if row in sheet.row_dimensions)
    if hidden:
        yield f"{counted(hidden, 'hidden row')} of {sheet.title} read as well"
    if sheet.sheet_state != "visible":
        yield f"hidden sheet {sheet.title} read as well"


def _value(cell: Any, original: Any, where: str) -> Cell:
    if cell.data_type == "e":
        raise InputError(f"{where}: cell {cell.coordinate} is the error {cell.value}: correct it")
    if cell.value is None and original.data_type == "f":
        raise InputError(
            f"{where}: cell {cell.coordinate} is a formula without a value: save the workbook in a spreadsheet program"
        )
    value: Cell = cell.value
    if isinstance(value, datetime) and "h" not in cell.number_format.lower() and value.time() == datetime.min.time():
        return value.date()
    return value


def write_workbook(path: str | Path, shop: JobShop) -> None:
    """Write the sheets of an order book, times in minutes. Raises InputError for what they cannot say."""
    save_sheets(path, book_sheets(path, shop))


def save_sheets(path: str | Path, sheets: Mapping[str, Sequence[Sequence[Any]]]) -> None:
    """Write sheets by name, each a header and rows of plain cells; no text becomes a formula."""
    import openpyxl
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([ILLEGAL_CHARACTERS_RE.sub(" ", c) if isinstance(c, str) else c for c in row])
        sheet.freeze_panes = "A2"
        for place, cell in enumerate(sheet[1], start=1):
            cell.font = Font(bold=True)
            widest = max(len(str(row[place - 1])) for row in rows if row[place - 1] is not None)
            sheet.column_dimensions[get_column_letter(place)].width = min(max(widest + 2, 9), 60)
    with atomic(path) as temporary:
        book.save(temporary)
