"""Cells that a spreadsheet takes for texts: one that begins with = + - @ is run as a formula when a CSV is opened.

What begins like that gets an apostrophe in front, which spreadsheets do not show (OWASP, CSV injection). Only CSV files
that people open pass through here; what the pipeline reads back itself is Parquet or JSON.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

FORMULA = ("=", "+", "-", "@", "\t", "\r")


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
