"""Workbooks for tests."""

from pathlib import Path
from typing import Any

import openpyxl


def write_book(path: Path, **sheets: list[list[Any]]) -> Path:
    """A workbook of these sheets; an underscore in a name is a blank."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name.replace("_", " "))
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path
