"""A file that is no text is called what it is, wherever text was expected."""

from pathlib import Path

import pytest

from twinloop.content import kind_of
from twinloop.errors import InputError
from twinloop.scheduling.files.example import write_example
from twinloop.scheduling.files.problem import read_problem
from twinloop.simulation import Line


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"PK\x03\x04 cut short", "a.xlsx", "an XLSX workbook"),
        (b"PK\x03\x04 cut short", "a.zip", "a ZIP archive"),
        (b"PK\x03\x04 word/document.xml", "a", "a Word document"),
        (b"%PDF-1.7", "a.csv", "a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1", "a.xls", "an old Excel workbook (XLS)"),
        (b"PAR1", "a.parquet", "a Parquet file"),
        (b"a\x00b", "a.txt", "a binary file"),
        ("job;Auftrag für Ann".encode(), "a.csv", None),
        ("job".encode("utf-16"), "a.csv", None),
        (b"", "a.csv", None),
    ],
)
def test_the_first_bytes_tell(content: bytes, name: str, kind: str | None) -> None:
    assert kind_of(content, name) == kind


def test_a_workbook_given_as_a_line_is_called_one(tmp_path: Path) -> None:
    write_example(tmp_path / "line.yaml")
    with pytest.raises(InputError, match=r"line.yaml: expected UTF-8 text, found an XLSX workbook$"):
        Line.from_yaml(tmp_path / "line.yaml")


def test_a_workbook_is_an_order_book_whatever_its_ending(tmp_path: Path) -> None:
    write_example(tmp_path / "orders.csv")
    assert read_problem(tmp_path / "orders.csv", start="2026-12-01T06:00+01:00").form.startswith("order book (Orders")


@pytest.mark.parametrize("content", [b"%PDF-1.7 and more", b"PAR1 and more", b"\x1f\x8b\x08"])
def test_what_is_no_shop_is_refused_by_its_name(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"orders.csv: a \w+( \w+)?, cannot be read as text"):
        read_problem(tmp_path / "orders.csv")
