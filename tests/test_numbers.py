import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.numbers import MINUS, THIN, Interval, interval, number, percent, probability, quantity


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (12345.6, f"12{THIN}346"),
        (0.012345, "0.0123"),
        (-2.5, f"{MINUS}2.50"),
        (0, "0"),
        (0.0, "0"),
        (999.7, "1" + THIN + "000"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_numbers_keep_three_significant_figures(value, shown):
    assert number(value) == shown


def test_a_sign_is_shown_where_a_change_is_meant():
    assert number(3.14159, sign=True) == "+3.14"
    assert percent(0.041, sign=True) == f"+4.1{THIN}%"
    assert percent(-0.00001, sign=True) == f"0.0{THIN}%"


def test_missing_quantities_carry_no_unit():
    assert quantity(None, "€/day") == "–"
    assert quantity(9412.3, "€/day") == f"9{THIN}412{THIN}€/day"


def test_both_ends_of_an_interval_are_rounded_to_the_same_place():
    assert interval(2.81, 53.04, "€") == f"2.8 … 53.0{THIN}€"
    assert interval(None, 1.0) == "–"


@given(st.floats(min_value=-1e9, max_value=1e9, allow_nan=False))
def test_what_is_shown_is_within_half_a_percent_of_the_number(value):
    shown = float(number(value).replace(THIN, "").replace(MINUS, "-"))
    assert shown == pytest.approx(value, rel=5.001e-3, abs=1e-300)


def test_an_interval_that_holds_zero_is_not_settled():
    assert Interval(1.0, 0.5, 2.0).settled
    assert Interval(-1.0, -2.0, -0.5).settled
    assert not Interval(1.0, -0.5, 2.0).settled
    assert not Interval(1.0, 1.0, 1.0).known


@pytest.mark.parametrize(("value", "text"), [(0.5, "0.50"), (0.00247, "0.0025"), (0.0999, "0.1"), (0.9957, "0.996")])
def test_thresholds_are_told_with_the_digits_that_matter(value: float, text: str) -> None:
    assert probability(value) == text


def test_an_interval_is_cut_to_what_can_be() -> None:
    assert Interval(0.99, 0.96, 1.02).within(0, 1) == Interval(0.99, 0.96, 1)
    assert Interval(0.4, -0.3, 1.1).within(0) == Interval(0.4, 0, 1.1)
