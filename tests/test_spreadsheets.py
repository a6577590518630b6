"""A cell that a spreadsheet would run as a formula is written as text."""

import polars as pl
import pytest

from twinloop.spreadsheets import as_text, as_texts


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_becomes_a_text(cell: str) -> None:
    assert as_text(cell) == f"'{cell}"
    assert as_texts(pl.DataFrame({"image": [cell]}))["image"].to_list() == [f"'{cell}"]


def test_other_texts_numbers_and_gaps_stay() -> None:
    frame = pl.DataFrame({"image": ["a-1.png", "", None], "score": [-1.0, 2.0, None]})
    assert as_texts(frame).equals(frame)
    assert as_text("a=1") == "a=1"
