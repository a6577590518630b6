import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.prognostics.models.fleet import HAZARD, Fleet
from twinloop.prognostics.inference.remaining import hours_left, remaining_life
from twinloop.prognostics.inference.risks import asked
from twinloop.prognostics.models.hazard import HazardModel
from twinloop.prognostics.models.settings import HazardSettings
from twinloop.prognostics.models.weibull import Weibull

WEEK = HazardSettings(days=7)
LN2 = float(np.log(2))


def test_a_life_without_memory_has_its_half_life_left_within_the_horizon_and_beyond() -> None:
    for half_h in (30.0, 100.0, 1000.0):
        law = Weibull(1.0, half_h / LN2)
        hazard = law.hazard(np.array([500.0]), days=7, period_h=24.0)
        low, median, high = hours_left(hazard, np.array([500.0]), law, WEEK)[0]
        assert median == pytest.approx(half_h)
        assert (low, high) == pytest.approx((-np.log(0.9) * half_h / LN2, -np.log(0.1) * half_h / LN2))


def test_a_weibull_law_is_read_back_at_any_age() -> None:
    law, age = Weibull(3.0, 2000.0), np.array([0.0, 900.0, 2500.0])
    hours = hours_left(law.hazard(age, days=7, period_h=24.0), age, law, WEEK)
    failed = 1 - law.survival(age[:, None] + hours) / law.survival(age)[:, None]
    # Within a day the hazard is taken as even, which a law of rising hazard is not quite.
    assert failed == pytest.approx(np.tile([0.1, 0.5, 0.9], (3, 1)), abs=2e-3)


@given(st.lists(st.floats(0.0, 1.0), min_size=7, max_size=7), st.floats(0.0, 1e5))
def test_hours_left_are_positive_and_in_order(hazard: list[float], age: float) -> None:
    low, median, high = hours_left(np.array([hazard]), np.array([age]), Weibull(2.0, 1500.0), WEEK)[0]
    assert 0 <= low <= median <= high < np.inf


def test_components_that_will_fail_soon_have_less_left_than_the_others(model: HazardModel, other: Fleet) -> None:
    left = remaining_life(asked(model, other.table, other.lives))
    assert len(left) == len(other.table.assets) * len(model.components)
    assert left["median_h"].is_sorted()
    assert (left["within_horizon"] == (left["median_h"] <= HAZARD.days * 24)).all()
    soon = left.filter("within_horizon")
    assert soon.is_empty() or soon["median_h"].max() <= left.filter(~pl.col("within_horizon"))["median_h"].min()
