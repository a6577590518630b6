"""Tables as spreadsheet programs read and write them: CSV of any separator, XLSX, and texts that are no formulas.

A cell that begins with = + - @ is run as a formula when a CSV is opened: it gets an apostrophe in front, which
spreadsheets do not show (OWASP, CSV injection). Only CSV files that people open pass through here; what the pipeline
reads back itself is Parquet or JSON.
"""

import io
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinloop.errors import InputError

if TYPE_CHECKING:
    import polars as pl

FORMULA = ("=", "+", "-", "@", "\t", "\r")
SEPARATORS = (",", ";", "\t", "|")
WORKBOOK = b"PK\x03\x04"
# A spreadsheet program's own hint at what separates cells.
DECIMAL = r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?$"
HINT = re.compile(rb"sep=(.)\r?\n")


def as_text(cell: str) -> str:
    """One cell.

    >>> as_text("=1+1")
    "'=1+1"
    """
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def as_read(cell: str) -> str:
    """A cell without the apostrophe that `as_text` put in front.

    >>> as_read("'=1+1"), as_read("'tis")
    ('=1+1', "'tis")
    """
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def as_texts(frame: "pl.DataFrame") -> "pl.DataFrame":
    """Every text column of a table; numbers stay numbers."""
    import polars as pl

    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(
        pl.when(pl.col(name).str.contains(r"^[=+\-@\t\r]")).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in texts
    )


def read_table(path: Path) -> "pl.DataFrame":
    """A CSV or XLSX file as columns of text, whatever its separator, decimal sign and encoding.

    Blank rows are left out. Of a workbook the first sheet with cells is read. Raises InputError for a file that cannot
    be read or has no rows.
    """
    import polars as pl

    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}): name a CSV or XLSX file") from None
    if not content.strip():
        raise InputError(f"{path}: an empty file: expected a table with a header")
    try:
        frame = _workbook(content) if content.startswith(WORKBOOK) else delimited(as_utf8(content))
    except pl.exceptions.PolarsError as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path}: expected a table with a header and as many cells in each row: {reason}") from None
    except (zipfile.BadZipFile, LookupError, ValueError, OSError) as error:
        raise InputError(f"{path}: a workbook that cannot be read ({error}): save it again, or as CSV") from None
    frame = frame.filter(pl.any_horizontal(pl.all().fill_null("") != "")) if frame.width else frame
    if not len(frame):
        raise InputError(f"{path}: no row below the header: expected a table with a header")
    return frame


def separator(line: str) -> str:
    """The sign between the cells of a header."""
    return max(SEPARATORS, key=line.count)


def delimited(text: bytes, *, ragged: bool = False) -> "pl.DataFrame":
    """Delimited UTF-8 text as columns of text without blanks around; ragged: cells beyond the header are left out.

    Where cells are parted by semicolons, a comma is the decimal sign. Raises polars' errors for what is no table.
    """
    import polars as pl

    hint = HINT.match(text)
    text = text[hint.end() :] if hint else text
    # The header alone: a table may be large.
    header, _, _ = text[: 1 << 20].decode("utf-8-sig", errors="replace").partition("\n")
    sign = hint[1].decode("ascii", "replace") if hint else separator(header)
    frame = pl.read_csv(
        io.BytesIO(text), separator=sign, infer_schema=False, truncate_ragged_lines=ragged, encoding="utf8-lossy"
    )
    frame = frame.rename({name: name.strip() for name in frame.columns})
    frame = frame.with_columns(pl.all().str.strip_chars())
    # Beside a decimal comma, points part thousands: 1.234,5 and 1.234.
    point = pl.all().str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    commas = pl.all().str.contains(DECIMAL) & pl.all().str.contains(r"^[+-]?[\d.]+,\d+$").any()
    return frame.with_columns(pl.when(commas).then(point).otherwise(pl.all())) if sign == ";" else frame


def as_utf8(content: bytes) -> bytes:
    """Text in UTF-16 with its mark, or in Windows' Latin-1, as UTF-8."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace").encode()
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace").encode()
    return content


def _workbook(content: bytes) -> "pl.DataFrame":
    import openpyxl
    import polars as pl

    for sheet in openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets:
        rows = [row for row in sheet.iter_rows(values_only=True) if any(cell not in (None, "") for cell in row)]
        if rows:
            names = [_shown(cell) or f"column {place}" for place, cell in enumerate(rows[0], start=1)]
            cells = [[_shown(cell) for cell in row] for row in rows[1:]]
            return pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String), orient="row")
    return pl.DataFrame()


def _shown(cell: Any) -> str | None:
    return None if cell is None else str(cell).strip()
