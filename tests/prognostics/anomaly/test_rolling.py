import numpy as np
import pytest

from twinloop.prognostics.anomaly import RollingSettings, RollingThreshold
from twinloop.prognostics.anomaly.detector import Said
from twinloop.prognostics.anomaly.rolling import FARTHEST

SETTINGS = RollingSettings(rows=4, threshold=3.0, settle=4)


def said(*values: float) -> Said:
    return RollingThreshold(("x",), SETTINGS).stream().push(np.array(values)[:, None])


def test_a_value_is_held_against_the_mean_and_deviation_of_those_before_it() -> None:
    # 1, 2, 3, 4: mean 2.5, deviation √(5/3).
    assert said(1, 2, 3, 4, 7.5).score[-1] == pytest.approx(5 / np.sqrt(5 / 3))
    assert said(1, 2, 3, 4, 7.5).alarm.tolist() == [False] * 4 + [True]


def test_every_row_beyond_the_threshold_is_an_alarm() -> None:
    rows = np.random.default_rng(0).normal(size=300)
    rows[200:203] += 100 * np.arange(1, 4) ** 2
    found = RollingThreshold(("x",), RollingSettings(rows=100, threshold=4.0)).stream().push(rows[:, None])
    assert np.flatnonzero(found.alarm).tolist() == [200, 201, 202]


def test_what_differs_where_nothing_ever_did_is_as_far_as_can_be() -> None:
    assert said(1, 1, 1, 1, 1.5).score.tolist() == [0, 0, 0, 0, FARTHEST]


def test_a_missing_value_is_left_out() -> None:
    assert said(1, 2, np.nan, 3, 4).score[-1] == pytest.approx(2.0)
    assert said(1, 2, 3, 4, np.nan).column[-1] == -1
