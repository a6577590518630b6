from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.contracts import Telemetry
from twinloop.errors import InputError
from twinloop.prognostics.anomaly.scoring import Labelled, Profile, earned, labelled, read_profiles, score, sweep, worth
from twinloop.prognostics.data.record import WINDOWS, Record

SERIES = Labelled(100, ((40, 49), (70, 79)))
STANDARD, LOW_FP, LOW_FN = Profile(), Profile(false=0.22), Profile(missed=2.0)
NONE = np.zeros(0, np.int64)


@pytest.mark.parametrize("profile", [STANDARD, LOW_FP, LOW_FN])
def test_nothing_detected_is_0_and_every_window_at_its_first_row_is_100(profile: Profile) -> None:
    assert score([earned(SERIES, NONE, profile)], 2, profile) == 0
    assert score([earned(SERIES, np.array([40, 70]), profile)], 2, profile) == pytest.approx(100)


def test_a_detection_in_the_middle_of_a_window_is_worth_what_the_sigmoid_says() -> None:
    # Position -(49 - 45 + 1) / 10 = -0.5: (2 / (1 + e^-2.5) - 1) / (2 / (1 + e^-5) - 1), less the window missed.
    assert earned(SERIES, np.array([45]), STANDARD) == pytest.approx(0.848284 / 0.986614 - 1, abs=1e-6)
    assert earned(SERIES, np.array([45]), LOW_FN) == pytest.approx(0.848284 / 0.986614 - 2, abs=1e-6)


def test_a_false_alarm_costs_more_the_farther_it_lies_behind_a_window() -> None:
    # (52 - 49) / 9 of a window behind it: 2 / (1 + e^(5/3)) - 1 = -0.682253.
    assert earned(SERIES, np.array([40, 70, 52]), STANDARD) == pytest.approx(2 - 0.11 * 0.682253, abs=1e-6)
    # Before the first window it costs all: twice as much to those who want few false alarms.
    assert earned(SERIES, np.array([20, 40, 70]), LOW_FP) == pytest.approx(2 - 0.22)
    assert (np.diff(worth(SERIES)[50:70]) < 0).all()


def test_a_window_counts_once_by_its_earliest_detection() -> None:
    once, often = (earned(SERIES, np.array(rows), STANDARD) for rows in ([42], [42, 43, 49]))
    assert once == often


def test_the_beginning_counts_for_nothing() -> None:
    assert SERIES.probation == 15
    assert Labelled(22_695, ()).probation == 750
    assert earned(SERIES, np.arange(15), STANDARD) == earned(SERIES, NONE, STANDARD)


@given(st.sets(st.integers(0, 99)))
def test_no_detections_earn_more_than_the_perfect_ones(rows: set[int]) -> None:
    made = score([earned(SERIES, np.array(sorted(rows), np.int64), STANDARD)], 2, STANDARD)
    assert made <= 100 + 1e-9


def test_one_threshold_is_chosen_for_all_series_and_left_out_by_the_others() -> None:
    one = Labelled(100, ((40, 49),))
    series = {"a": one, "b": one}
    first, false = np.array([40]), np.array([90])
    alarms = {0.5: {"a": first, "b": first}, 0.9: {"a": first, "b": NONE}, 0.1: {"a": first, "b": false}}
    swept = sweep(series, alarms, STANDARD)
    assert (swept.threshold, swept.score) == (0.5, pytest.approx(100))
    assert swept.left_out == pytest.approx(100)
    only = sweep(series, {0.5: {"a": first, "b": NONE}, 0.9: {"a": NONE, "b": first}}, STANDARD)
    assert (only.score, only.left_out) == (pytest.approx(50), pytest.approx(0))


def test_windows_of_a_record_become_rows() -> None:
    rows = pl.DataFrame({"asset": ["m"] * 10, "time_min": np.arange(10) * 5.0, "value": np.arange(10.0)})
    telemetry = Telemetry.of([rows], units={"value": ""})
    windows = pl.DataFrame([("m", 10.0, 21.0), ("m", 90.0, 99.0)], schema=WINDOWS, orient="row")
    assert labelled(Record(telemetry, "nab", windows=windows)) == {"m": Labelled(10, ((2, 4),))}
    with pytest.raises(InputError, match="expected labelled windows .* got none"):
        labelled(Record(telemetry, "nab"))


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"standard": {}}', '{"standard": {"CostMatrix": {"tpWeight": "x"}}}']
)
def test_a_file_that_is_no_profiles_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "profiles.json"
    path.write_text(content)
    with pytest.raises(InputError, match="expected NAB's profiles.json"):
        read_profiles(path)


def test_profiles_are_read(tmp_path: Path) -> None:
    path = tmp_path / "profiles.json"
    path.write_text('{"low": {"CostMatrix": {"tpWeight": 1.0, "fnWeight": 2.0, "fpWeight": 0.11, "tnWeight": 1.0}}}')
    assert read_profiles(path) == {"low": LOW_FN}
