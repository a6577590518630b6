import numpy as np
import polars as pl
import pytest

from tests.prognostics.demand.test_forecast import NAIVE, history
from twinloop.errors import InputError
from twinloop.prognostics.demand import coverage, mase, rolling_origin
from twinloop.prognostics.demand.backtest import BACKTEST


def test_a_scaled_error_is_the_mean_error_over_the_mean_step() -> None:
    assert mase(np.array([3.0, 5.0]), np.array([2.0, 8.0]), 4.0) == pytest.approx((1 / 4 + 3 / 4) / 2)
    assert mase(np.array([3.0, 5.0]), np.array([2.0, 8.0]), np.array([1.0, 6.0])) == pytest.approx((1 + 0.5) / 2)
    assert mase(np.array([0.0]), np.array([0.0]), 0.0) == 0
    with pytest.raises(InputError, match="expected a history that varies"):
        mase(np.array([1.0]), np.array([0.0]), 0.0)


def test_the_last_value_one_step_ahead_is_the_measure_itself() -> None:
    steps = np.abs(np.diff(np.array([1.0, 4.0, 2.0, 9.0])))
    assert mase(np.array([4.0, 2.0, 9.0]), np.array([1.0, 4.0, 2.0]), steps.mean()) == pytest.approx(1)


def test_every_origin_knows_only_the_weeks_before_it() -> None:
    told = rolling_origin(history(), NAIVE, origins=3, step=2)
    assert dict(told.schema) == BACKTEST
    mechanic = told.filter(skill="mechanic")
    assert mechanic["origin"].to_list() == [14, 14, 16, 16, 18, 18]
    assert mechanic["week"].to_list() == [14, 15, 16, 17, 18, 19]
    assert mechanic["median"].unique().to_list() == [200]
    assert mechanic["actual"].to_list() == [100, 200] * 3
    assert mechanic["scale"].unique().to_list() == [100]
    changed = history().with_columns(minutes=pl.when(pl.col("week") >= 16).then(777.0).otherwise("minutes"))
    other = rolling_origin(changed, NAIVE, origins=3, step=2)
    early = pl.col("origin") <= 16
    assert other.filter(early).drop("actual").equals(told.filter(early).drop("actual"))


def test_coverage_is_the_share_of_weeks_within() -> None:
    frame = pl.DataFrame({"low": [1.0, 1.0, 1.0, 1.0], "high": [2.0] * 4, "actual": [0.5, 1.0, 1.5, 3.0]})
    assert coverage(frame) == 0.5


def test_a_history_too_short_for_its_first_origin_is_refused() -> None:
    with pytest.raises(InputError, match="at least 12 weeks, got 10"):
        rolling_origin(history(), NAIVE, origins=9)
