import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from twinloop.contracts import AlertCurve, ByLife
from twinloop.errors import InputError


def curve(**changes: object) -> AlertCurve:
    fields: dict[str, object] = {
        "thresholds": np.array([0.2, 0.6]),
        "recall": np.array([[0.9, 0.5], [1.0, 0.4]]),
        "lead_levels": np.array([0.0, 0.5, 1.0]),
        "lead_hours": np.array([[[1.0, 6.0, 9.0], [0.5, 2.0, 4.0]], [[1.0, 5.0, 9.0], [0.0, 2.0, 4.0]]]),
        "false_alarms": np.array([[3.0, 1.0], [4.0, 0.0]]),
        "failures": 20,
        "asset_months": 7.5,
        "threshold": 0.2,
        "model": "abc",
    }
    return AlertCurve(**{**fields, **changes})  # type: ignore[arg-type]


def by_life(**changes: object) -> ByLife:
    fields: dict[str, object] = {
        "life_hours": np.array([[10.0, 50.0, 90.0], [20.0, 50.0, 80.0]]),
        "lead_share": np.array([[[0.1, 0.2, 0.5], [0.0, 0.1, 0.3]]] * 2),
        "dependence": np.array([[0.8, 0.4], [0.5, -1.0]]),
    }
    return ByLife(**{**fields, **changes})  # type: ignore[arg-type]


def test_between_thresholds_rates_and_lead_times_are_linear() -> None:
    middle = curve().at(0.4)
    assert middle.recall_at() == pytest.approx(0.7)
    assert middle.false_alarms_at(draw=1) == pytest.approx(2.0)
    assert middle.lead_at() == pytest.approx([0.75, 4.0, 6.5])
    assert curve().draws == 1


def test_without_a_draw_it_is_the_estimate_that_is_asked() -> None:
    at_the_point = curve()
    assert at_the_point.recall_at() == at_the_point.recall_at(draw=0) == 0.9
    assert at_the_point.false_alarms_at() == at_the_point.false_alarms_at(draw=0) == 3.0
    assert at_the_point.lead_at().tolist() == at_the_point.lead_at(draw=0).tolist() == [1.0, 6.0, 9.0]
    assert (at_the_point.recall_at(draw=1), at_the_point.false_alarms_at(draw=1)) == (1.0, 4.0)
    assert at_the_point.lead_at(draw=1).tolist() == [1.0, 5.0, 9.0]


def test_a_month_is_a_twelfth_of_a_year_unless_it_is_said() -> None:
    assert curve().hours_per_month == 365 * 24 / 12
    assert curve(hours_per_month=0.5).hours_per_month == 0.5


def test_a_curve_stays_as_it_was_measured_and_serves_as_a_key() -> None:
    measured = curve()
    with pytest.raises(dataclasses.FrozenInstanceError):
        measured.threshold = 0.6  # type: ignore[misc]
    assert {measured: "now", measured.at(0.6): "moved"}[measured] == "now"


@pytest.mark.parametrize(
    "changes",
    [
        {"recall": np.array([[1.0, 0.0], [0.4, 0.4]])},
        {"false_alarms": np.zeros((2, 2))},
        {"lead_levels": np.array([0.0, 1.0]), "lead_hours": np.array([[[0.0, 9.0], [2.0, 2.0]]] * 2)},
        {
            "thresholds": np.array([0.5]),
            "recall": np.array([[0.5]]),
            "lead_hours": np.array([[[1.0, 2.0, 3.0]]]),
            "false_alarms": np.array([[1.0]]),
        },
    ],
    ids=["no hits", "no false alarms", "two levels, equal leads", "one threshold, no draws"],
)
def test_a_curve_at_the_edge_of_what_can_be_is_taken(changes: dict[str, object]) -> None:
    assert curve(**changes).recall_at() <= 1


def test_saving_and_loading_changes_nothing(tmp_path: Path) -> None:
    curve(hours_per_month=480.0).save(tmp_path / "alerts.parquet")
    loaded = AlertCurve.load(tmp_path / "alerts.parquet")
    for name, value in vars(curve(hours_per_month=480.0)).items():
        assert np.array_equal(getattr(loaded, name), value)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"recall": np.array([[1.1, 0.5], [1.0, 0.4]])}, r"recall lies in \[0, 1\]"),
        ({"recall": np.array([[np.nan, 0.5], [1.0, 0.4]])}, r"recall lies in \[0, 1\]"),
        ({"recall": np.array([[0.4, 0.5], [1.0, 0.4]])}, "recall does not grow with the threshold"),
        ({"recall": np.array([[0.4], [1.0]])}, "recall has shape"),
        ({"recall": np.array([[0.9, -0.5], [1.0, 0.4]])}, r"recall lies in \[0, 1\]"),
        ({"recall": np.array([0.9, 0.5])}, "recall has shape"),
        ({"thresholds": np.array([0.6, 0.2])}, "thresholds are finite and ascend"),
        ({"thresholds": np.array([0.2, 0.2])}, "thresholds are finite and ascend"),
        ({"thresholds": np.array([0.2, 0.6, 0.4])}, "thresholds are finite and ascend"),
        ({"thresholds": np.array([0.2, np.inf])}, "thresholds are finite and ascend"),
        (
            {
                "thresholds": np.empty(0),
                "recall": np.empty((2, 0)),
                "lead_hours": np.empty((2, 0, 3)),
                "false_alarms": np.empty((2, 0)),
            },
            "thresholds are finite and ascend",
        ),
        ({"false_alarms": np.array([[3.0, -1.0], [4.0, 0.0]])}, "false_alarms are finite and not negative"),
        ({"false_alarms": np.array([[3.0, np.nan], [4.0, 0.0]])}, "false_alarms are finite and not negative"),
        ({"lead_hours": np.full((2, 2, 3), [3.0, 2.0, 1.0])}, "lead_hours are finite, not negative, and ascend"),
        ({"lead_hours": np.array([[[1.0, 6.0, 5.5], [0.5, 2.0, 4.0]]] * 2)}, "lead_hours are finite"),
        ({"lead_hours": np.array([[[-1.0, 6.0, 9.0], [0.5, 2.0, 4.0]]] * 2)}, "lead_hours are finite, not negative"),
        ({"lead_hours": np.array([[[-0.5, 6.0, 9.0], [0.5, 2.0, 4.0]]] * 2)}, "lead_hours are finite, not negative"),
        ({"lead_hours": np.array([[[1.0, 6.0, np.inf], [0.5, 2.0, 4.0]]] * 2)}, "lead_hours are finite"),
        ({"lead_hours": np.zeros((2, 2, 2))}, "lead_hours has shape"),
        ({"false_alarms": np.zeros((2, 1))}, "false_alarms has shape"),
        ({"lead_levels": np.array([0.0, 0.7, 0.4, 1.0])}, "lead_levels ascend from 0 to 1"),
        ({"lead_levels": np.array([0.0, 0.5, 0.5, 1.0])}, "lead_levels ascend from 0 to 1"),
        ({"lead_levels": np.array([0.1, 0.5, 1.0])}, "lead_levels ascend from 0 to 1"),
        ({"lead_levels": np.array([0.0, 0.5, 0.9])}, "lead_levels ascend from 0 to 1"),
        ({"hours_per_month": 0.0}, "hours_per_month is above 0"),
        ({"hours_per_month": np.inf}, "hours_per_month is above 0"),
        ({"by_life": by_life(life_hours=np.array([[10.0, 50.0, 90.0]]))}, "life_hours has shape"),
        ({"by_life": by_life(life_hours=np.array([[50.0, 10.0, 90.0]] * 2))}, "life_hours are finite, not negative"),
        ({"by_life": by_life(life_hours=np.array([[10.0, 50.0, np.inf]] * 2))}, "life_hours are finite"),
        ({"by_life": by_life(lead_share=np.zeros((2, 1, 3)))}, "lead_share has shape"),
        ({"by_life": by_life(lead_share=np.full((2, 2, 3), 1.2))}, r"lead_share lies in \[0, 1\]"),
        ({"by_life": by_life(lead_share=np.full((2, 2, 3), [0.3, 0.2, 0.4]))}, "lead_share lies .* ascends"),
        ({"by_life": by_life(dependence=np.zeros(2))}, "dependence has shape"),
        ({"by_life": by_life(dependence=np.full((2, 2), -1.5))}, r"dependence lies in \[-1, 1\]"),
        ({"by_life": by_life(dependence=np.full((2, 2), np.nan))}, r"dependence lies in \[-1, 1\]"),
    ],
)
def test_a_curve_that_cannot_be_is_refused_in_one_line(changes: dict[str, object], expected: str) -> None:
    with pytest.raises(InputError, match=f"alert curve: expected that .*{expected}") as caught:
        curve(**changes)
    assert "\n" not in str(caught.value)


def test_what_depends_on_the_length_of_a_life_is_saved_with_the_rest(tmp_path: Path) -> None:
    curve(by_life=by_life()).save(tmp_path / "alerts.parquet")
    own = AlertCurve.load(tmp_path / "alerts.parquet").by_life
    assert own is not None
    for name in ("life_hours", "lead_share", "dependence"):
        assert np.array_equal(getattr(own, name), getattr(by_life(), name))
    curve().save(tmp_path / "plain.parquet")
    assert AlertCurve.load(tmp_path / "plain.parquet").by_life is None


@pytest.mark.parametrize("name", ["life_hours", "lead_share", "dependence"])
def test_a_file_that_lost_a_part_of_it_is_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "alerts.parquet"
    curve(by_life=by_life()).save(path)
    header = pl.read_parquet_metadata(path)
    kept = {key: value for key, value in header.items() if key.startswith("twinloop")}
    pl.read_parquet(path).drop(name).write_parquet(path, metadata=kept)
    with pytest.raises(InputError, match="expected rows of every draw, threshold and lead level: measure"):
        AlertCurve.load(path)


def test_a_file_of_another_version_is_refused_with_the_remedy(tmp_path: Path) -> None:
    old = {"twinloop.alert_curve": '{"version": 0}'}
    pl.DataFrame({"draw": [0]}).write_parquet(tmp_path / "old.parquet", metadata=old)
    with pytest.raises(InputError, match="expected alert curve version 2, found 0: measure the predictor again"):
        AlertCurve.load(tmp_path / "old.parquet")


def test_a_file_that_is_no_parquet_or_is_not_there_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("recall,lead\n0.9,3\n")
    for name in ("text.parquet", "missing.parquet"):
        with pytest.raises(InputError, match=f"{name}: expected a Parquet file, it cannot be read") as caught:
            AlertCurve.load(tmp_path / name)
        assert "\n" not in str(caught.value)


ASSETS = ["a"] * 4 + ["b"] * 4
HOURS = [0, 10, 20, 30] * 2
SCORES = [0.1, 0.7, 0.2, 0.9, 0.1, 0.6, 0.1, 0.1]


def test_a_curve_of_plain_alarms_counts_hits_lead_times_and_false_alarms() -> None:
    # Asset a fails in hour 34: its alarm in hour 30 is a hit with 4 hours left, that in hour 10 and b's are false.
    curve = AlertCurve.of(SCORES, HOURS, ASSETS, {"a": 34.0}, window_hours=8.0, thresholds=[0.5, 0.8], draws=20)
    assert curve.recall[0].tolist() == [1.0, 1.0]
    assert curve.lead_hours[0, :, 5] == pytest.approx([4.0, 4.0])
    # Watched: 26 hours of a, 22 of b, as nobody knows what comes after its last score.
    assert curve.false_alarms[0] == pytest.approx([2 / (48 / 730), 0.0])
    assert (curve.failures, curve.draws, curve.threshold) == (1, 20, 0.8)


def test_rows_may_come_in_any_order_and_thresholds_from_the_scores() -> None:
    order = np.random.default_rng(0).permutation(8)
    shuffled = [np.array(column)[order] for column in (SCORES, HOURS, ASSETS)]
    one = AlertCurve.of(SCORES, HOURS, ASSETS, {"a": 34.0}, window_hours=8.0)
    two = AlertCurve.of(*shuffled, {"a": 34.0}, window_hours=8.0)
    assert np.array_equal(one.false_alarms, two.false_alarms)
    assert (one.thresholds[0], one.thresholds[-1]) == (0.1, 0.9)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"scores": [*SCORES[:7], np.nan]}, "row 7: expected finite numbers, got score nan, hour 30.0"),
        ({"hours": HOURS[:7]}, "expected scores, hours and assets of one length, got 8, 7, 8"),
        ({"failed_at": {}}, "none of 2 lives ended in a failure"),
        ({"failed_at": {"aa": 34.0}}, "aa failed but has no score"),
        ({"failed_at": {"a": 25.0}}, "a has a score in hour 30, after its failure in hour 25: leave it out"),
        ({"scores": [], "hours": [], "assets": []}, "got 0, 0, 0"),
    ],
)
def test_alarms_that_make_no_curve_are_refused(changes: dict[str, Any], reason: str) -> None:
    given = {"scores": SCORES, "hours": HOURS, "assets": ASSETS, "failed_at": {"a": 34.0}} | changes
    with pytest.raises(InputError) as caught:
        AlertCurve.of(**given, window_hours=8.0)
    assert reason in str(caught.value)
