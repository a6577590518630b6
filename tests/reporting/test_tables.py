import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.errors import InputError
from twinloop.reporting.tables import Table

HOSTILE = "<script>alert(1)</script>"


def test_hostile_text_is_escaped_in_every_place_of_a_table():
    table = Table.of([HOSTILE], [[HOSTILE]], caption=HOSTILE, numeric=[0], emphasis=[0])
    html = table._repr_html_()
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3


@given(st.text())
def test_no_text_adds_an_element(text):
    assert Table.of(["a"], [[text]])._repr_html_().count("<") == Table.of(["a"], [["x"]])._repr_html_().count("<")


def test_text_form_aligns_columns():
    assert str(Table.of(["station", "OEE"], [["press", "61 %"]])) == "station  OEE\npress    61 %"


def test_numbers_are_aligned_right_and_the_row_that_matters_stands_out():
    html = Table.of(["a", "b"], [["x", 1], ["y", 2]], numeric=[1], emphasis=[1])._repr_html_()
    assert '<td class="number">1</td>' in html
    assert '<tr class="emphasis"><td>y</td>' in html


def test_a_row_of_other_length_is_refused():
    with pytest.raises(InputError, match=r"table 'KPIs': row 1: expected 2 cells, found 1"):
        Table.of(["a", "b"], [["x", "y"], ["z"]], caption="KPIs")
