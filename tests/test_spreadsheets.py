"""Tables of spreadsheet programs: what is read, and that a cell which would be run as a formula is written as text."""

from pathlib import Path

import polars as pl
import pytest

from twinloop.errors import InputError
from twinloop.spreadsheets import as_text, as_texts, read_table


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_becomes_a_text(cell: str) -> None:
    assert as_text(cell) == f"'{cell}"
    assert as_texts(pl.DataFrame({"image": [cell]}))["image"].to_list() == [f"'{cell}"]


def test_other_texts_numbers_and_gaps_stay() -> None:
    frame = pl.DataFrame({"image": ["a-1.png", "", None], "score": [-1.0, 2.0, None]})
    assert as_texts(frame).equals(frame)
    assert as_text("a=1") == "a=1"


@pytest.mark.parametrize(
    "content",
    [
        "Teil;Größe\na;1,5\n;\nb;-2\n".encode(),
        "Teil;Größe\r\na;1,5\r\n\r\nb;-2\r\n".encode("cp1252"),
        "\ufeffTeil;Größe\na;1,5\nb;-2".encode(),
        "Teil;Größe\na;1,5\nb;-2\n".encode("utf-16"),
        "Teil\tGröße\na\t1.5\nb\t-2\n".encode(),
        "Teil , Größe\n a , 1.5 \n b , -2 \n".encode(),
        "sep=|\nTeil|Größe\na|1.5\nb|-2\n".encode(),
    ],
)
def test_a_text_table_is_read_whatever_wrote_it(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(content)
    assert read_table(tmp_path / "table.csv").to_dict(as_series=False) == {"Teil": ["a", "b"], "Größe": ["1.5", "-2"]}


def test_of_a_workbook_the_first_sheet_with_cells_is_read(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.create_sheet("Results")
    for row in (["Teil", "Größe"], ["a", 1.5], [None, None], ["b", -2]):
        sheet.append(row)
    book.save(tmp_path / "table.xlsx")
    assert read_table(tmp_path / "table.xlsx").rows() == [("a", "1.5"), ("b", "-2")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty file"),
        (b"\n \n", "an empty file"),
        (b"a,b\n", "no row below the header"),
        (b"a,b\n1,2,3\n", "as many cells in each row"),
        (b"PK\x03\x04", "a workbook that cannot be read"),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(InputError, match=reason):
        read_table(tmp_path / "table.csv")
