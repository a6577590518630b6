import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.errors import InputError
from twinloop.prognostics.models.calibration import fit_calibration, logit, sigmoid
from twinloop.prognostics.models.folds import unit_folds
from twinloop.prognostics.models.periods import course, drawn_periods, failure_by, log_likelihood
from twinloop.prognostics.models.table import Ahead, FeatureTable, ahead, component_age

LABEL = Ahead(np.array([50.0, 50.0, 24.0, 0.0, np.nan, 500.0]), np.array([True, False, True, True, False, True]))


def table(times: dict[str, list[float]]) -> FeatureTable:
    rows = [(asset, time, 1.0) for asset, own in times.items() for time in own]
    return FeatureTable.of(pl.DataFrame(rows, schema=["asset", "time_min", "x"], orient="row"))


def test_days_of_a_life_are_counted_by_hand() -> None:
    days = course(LABEL, days=4, period_h=24.0)
    assert days.survived.sum(axis=1).tolist() == [2, 2, 0, 0, 0, 4]
    # Failed in the third day, cut in the third, failed at the end of the first, at the end, outside, far away.
    assert [row.nonzero()[0].tolist() for row in days.failed] == [[2], [], [0], [], [], []]


def test_the_likelihood_is_that_of_the_days() -> None:
    hazard = np.full((6, 4), 0.1)
    expected = 2 * np.log(0.1) + 8 * np.log(0.9)
    assert log_likelihood(hazard, course(LABEL, days=4, period_h=24.0)) == pytest.approx(expected)


@given(st.integers(1, 20), st.integers(0, 99))
def test_a_sample_of_days_stands_for_all_of_them(ratio: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    label = Ahead(rng.uniform(0, 400, 60), rng.random(60) < 0.3)
    days = course(label, days=14, period_h=24.0)
    drawn = drawn_periods(days, survived_per_failure=ratio, seed=seed)
    assert drawn.weight[drawn.failed].sum() == days.failed.sum()
    assert drawn.weight[~drawn.failed].sum() == pytest.approx(days.survived.sum())
    assert days.failed[drawn.row[drawn.failed], drawn.day[drawn.failed]].all()
    assert days.survived[drawn.row[~drawn.failed], drawn.day[~drawn.failed]].all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=14))
def test_probabilities_until_a_day_never_fall(hazard: list[float]) -> None:
    until = failure_by(np.array([hazard]))[0]
    assert (np.diff(until) >= 0).all()
    assert ((until >= 0) & (until <= 1)).all()
    assert until[-1] == pytest.approx(1 - np.prod(1 - np.array(hazard)), abs=1e-9)


def test_what_lies_ahead_is_of_the_present_life() -> None:
    lives = pl.DataFrame(
        [("a", "pump", 0.0, 100.0, True), ("a", "pump", 130.0, 300.0, False), ("b", "pump", 0.0, 50.0, True)],
        schema=["asset", "component", "begin_min", "end_min", "failed"],
        orient="row",
    )
    rows = table({"a": [40.0, 100.0, 110.0, 130.0, 400.0], "b": [20.0], "c": [5.0]})
    label = ahead(rows, lives, "pump")
    assert (label.hours * 60)[[0, 1, 3, 5]] == pytest.approx([60.0, 0.0, 170.0, 30.0])
    assert np.isnan(label.hours[[2, 4, 6]]).all()
    assert label.failed.tolist() == [True, True, False, False, False, True, False]
    assert (component_age(rows, lives, "pump") * 60).tolist() == pytest.approx([40, 100, 110, 0, 270, 20, 0])


def test_a_later_life_moves_no_age_before_it() -> None:
    schema = ["asset", "component", "begin_min", "end_min", "failed"]
    rows = table({"a": [40.0, 90.0]})
    one, two = (
        pl.DataFrame([("a", "pump", 0.0, 100.0, True), ("a", "pump", later, 300.0, True)], schema=schema, orient="row")
        for later in (100.0, 210.0)
    )
    assert (component_age(rows, one, "pump") == component_age(rows, two, "pump")).all()


@given(st.lists(st.integers(0, 30), min_size=30, max_size=200), st.integers(0, 9))
def test_a_unit_is_in_one_fold(units: list[int], seed: int) -> None:
    unit = np.array([*range(31), *units])
    fold = unit_folds(unit, 5, seed=seed)
    assert all(len(set(fold[unit == one])) == 1 for one in set(unit))
    counts = np.bincount([fold[unit == one][0] for one in set(unit)])
    assert counts.max() - counts.min() <= 1


def test_too_few_units_are_refused() -> None:
    with pytest.raises(InputError, match="expected at least 5 assets for 5 folds, got 2"):
        unit_folds(np.array([0, 0, 1]), 5, seed=0)


def test_features_out_of_order_are_refused() -> None:
    with pytest.raises(InputError, match="ordered by asset and time_min"):
        table({"a": [2.0, 1.0]})
    with pytest.raises(InputError, match="at least one window, got none"):
        table({})


def test_calibration_finds_how_far_log_odds_are_off() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(-1, 2, 40_000)
    happened = rng.random(len(odds)) < sigmoid(0.5 + 0.6 * odds)
    found = fit_calibration(odds, happened, np.ones(len(odds)))
    assert found == pytest.approx((0.5, 0.6), abs=0.05)
    assert sigmoid(found(odds)).mean() == pytest.approx(happened.mean(), abs=1e-3)


def test_calibration_by_weights_is_that_of_repeated_rows() -> None:
    rng = np.random.default_rng(1)
    odds, times = rng.normal(size=200), rng.integers(1, 5, 200)
    happened = rng.random(200) < sigmoid(odds)
    weighted = fit_calibration(odds, happened, times.astype(float))
    repeated = fit_calibration(np.repeat(odds, times), np.repeat(happened, times), np.ones(times.sum()))
    assert weighted == pytest.approx(repeated, rel=1e-9)


def test_what_says_the_contrary_is_not_turned_round() -> None:
    odds = np.linspace(-3, 3, 500)
    assert fit_calibration(odds, odds < 0, np.ones(500)).slope == 0.0


@given(st.floats(0, 1))
def test_log_odds_and_back(p: float) -> None:
    # Cut at odds of 1 to 22 000 and of 1 100 to 1.
    assert sigmoid(logit(np.array([p])))[0] == pytest.approx(p, abs=5e-5 if p < 0.999 else 1e-3)
