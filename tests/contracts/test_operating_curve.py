import dataclasses
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.contracts import Decision, OperatingCurve
from twinloop.contracts.calibration import Calibration, fit_calibration
from twinloop.contracts.curve_settings import CurveSettings
from twinloop.errors import InputError

THRESHOLDS = np.array([0.25, 0.5, 0.75])
BELOW = np.array(
    [
        [[0.90, 0.96, 0.99], [0.10, 0.30, 0.60]],
        [[0.85, 0.95, 0.98], [0.05, 0.25, 0.50]],
    ]
)


def curve(**changes: object) -> OperatingCurve:
    fields: dict[str, object] = {
        "thresholds": THRESHOLDS,
        "classes": ("good", "crack"),
        "below": BELOW,
        "prevalence": np.array([0.97, 0.03]),
        "counts": np.array([200, 40]),
        "repeatability": 0.8,
        "accept_below": 0.5,
        "reject_from": 0.5,
        "model": "abc",
    }
    return OperatingCurve(**{**fields, **changes})  # type: ignore[arg-type]


def test_rates_at_a_grid_point_are_those_of_the_grid() -> None:
    assert curve().escape_rate() == pytest.approx(0.30)
    assert curve().false_reject_rate() == pytest.approx(0.04)
    assert curve().escape_rate(draw=1) == pytest.approx(0.25)


def test_rates_between_grid_points_are_linear_and_end_at_zero_and_one() -> None:
    assert curve().below_at(0.375) == pytest.approx([0.93, 0.20])
    assert curve().below_at(0.0) == pytest.approx([0.0, 0.0])
    assert curve().below_at(1.1) == pytest.approx([1.0, 1.0])


def test_a_threshold_of_one_may_be_part_of_the_grid() -> None:
    assert curve(thresholds=np.array([0.25, 0.5, 1.0])).below_at(1.0) == pytest.approx([0.99, 0.60])


def test_draws_are_counted_without_the_estimate() -> None:
    assert curve().draws == 1
    assert curve(below=BELOW[:1]).draws == 0


def test_a_curve_stays_as_it_was_measured_and_serves_as_a_key() -> None:
    measured = curve()
    with pytest.raises(dataclasses.FrozenInstanceError):
        measured.accept_below = 0.25  # type: ignore[misc]
    assert {measured: "now", measured.at(0.25): "moved"}[measured] == "now"


@pytest.mark.parametrize("repeatability", [0.0, 1.0])
def test_looks_may_agree_always_or_by_chance_alone(repeatability: float) -> None:
    assert curve(repeatability=repeatability).repeatability == repeatability


def test_escape_rate_weighs_defects_by_their_share_on_the_line() -> None:
    below = np.array([[[0.9], [0.1], [0.5]]])
    mixed = curve(
        thresholds=np.array([0.5]),
        classes=("good", "a", "b"),
        below=below,
        prevalence=np.array([0.9, 0.075, 0.025]),
        counts=np.array([1, 1, 1]),
    )
    assert mixed.escape_rate() == pytest.approx(0.75 * 0.1 + 0.25 * 0.5)


def test_a_line_without_defects_has_no_escapes() -> None:
    assert curve(prevalence=np.array([1.0, 0.0])).escape_rate() == 0.0


def test_one_threshold_leaves_no_band_and_two_leave_one() -> None:
    assert curve().at(0.25).reject_from == 0.25
    band = curve().at(0.25, 0.75)
    assert (band.accepted(), band.rejected()) == (pytest.approx([0.9, 0.1]), pytest.approx([0.01, 0.4]))
    assert [band.decide(value) for value in (0.2, 0.25, 0.75)] == [
        Decision.ACCEPT,
        Decision.REINSPECT,
        Decision.REJECT,
    ]


@given(st.floats(0, 1))
def test_scaled_errors_scale_both_rates(factor: float) -> None:
    scaled = curve().with_errors_scaled(factor)
    assert scaled.escape_rate() == pytest.approx(factor * 0.30)
    assert scaled.false_reject_rate() == pytest.approx(factor * 0.04)


@given(st.floats(0, 1), st.floats(0, 1))
def test_rates_never_fall_as_the_threshold_rises(a: float, b: float) -> None:
    low, high = sorted([a, b])
    assert np.all(curve().below_at(low) <= curve().below_at(high) + 1e-12)


def test_saving_and_loading_changes_nothing(tmp_path: Path) -> None:
    before = curve().at(0.25, 0.75)
    before.save(tmp_path / "curve.parquet")
    after = OperatingCurve.load(tmp_path / "curve.parquet")
    for name in ("thresholds", "below", "prevalence", "counts"):
        assert np.array_equal(getattr(before, name), getattr(after, name))
    for name in ("classes", "repeatability", "accept_below", "reject_from", "model"):
        assert getattr(before, name) == getattr(after, name)


def test_the_same_curve_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        curve().save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_another_parquet_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other.parquet")
    with pytest.raises(
        InputError, match="expected operating curve version 1, found None: run the evaluate stage again"
    ):
        OperatingCurve.load(tmp_path / "other.parquet")


def test_a_curve_of_another_version_is_refused_with_the_remedy(tmp_path: Path) -> None:
    curve().save(tmp_path / "curve.parquet")
    table = pq.read_table(tmp_path / "curve.parquet")
    header = json.loads(table.schema.metadata[b"twinloop.operating_curve"]) | {"version": 2}
    pq.write_table(
        table.replace_schema_metadata({"twinloop.operating_curve": json.dumps(header)}), tmp_path / "newer.parquet"
    )
    with pytest.raises(InputError, match=r"newer\.parquet: expected operating curve version 1, found 2: run the "):
        OperatingCurve.load(tmp_path / "newer.parquet")


@pytest.mark.parametrize(
    ("changes", "expectation"),
    [
        ({"classes": ("crack", "good")}, "classes start with 'good'"),
        ({"thresholds": np.array([0.5, 0.25, 0.75])}, "thresholds ascend"),
        ({"thresholds": np.array([0.25, 0.25, 0.75])}, "thresholds ascend"),
        ({"below": BELOW[0]}, r"below has shape \(1 \+ draws, 2, 3\)"),
        ({"below": BELOW[..., :2]}, r"below has shape \(1 \+ draws, 2, 3\)"),
        ({"below": BELOW - 0.5}, r"below lies in \[0, 1\]"),
        ({"below": BELOW + 0.2}, r"below lies in \[0, 1\]"),
        ({"below": BELOW[..., ::-1]}, "below ascends"),
        ({"prevalence": np.array([0.5, 0.6])}, "prevalence sums to 1"),
        ({"repeatability": 1.5}, "repeatability lies"),
        ({"repeatability": -0.5}, "repeatability lies"),
        ({"repeatability": float("nan")}, "repeatability lies"),
        ({"accept_below": 0.6}, "accept_below ≤ reject_from"),
        ({"below": np.where(BELOW > 0.98, np.nan, BELOW)}, "below lies"),
    ],
)
def test_a_curve_that_contradicts_itself_is_refused(changes: dict[str, object], expectation: str) -> None:
    with pytest.raises(InputError, match=expectation):
        curve(**changes)


def looks(*, count: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, names of classes and parts; every part is looked at twice."""
    rng = np.random.default_rng(seed)
    part = np.repeat(np.arange(count // 2), 2)
    labels = np.where(part % 3, "good", np.where(part % 2, "crack", "pit"))
    difficulty = rng.normal(size=count // 2)[part]
    return np.where(labels == "good", 0.0, 3.0) + difficulty + 0.3 * rng.normal(size=count), labels, part


def test_a_curve_of_plain_scores_is_calibrated_for_the_line() -> None:
    scores, labels, parts = looks()
    curve = OperatingCurve.of(scores, labels, parts, settings=CurveSettings(line_defect_rate=0.1))
    fitted = fit_calibration(scores, labels != "good", method="platt").at_defect_rate(0.1)
    assert curve.classes == ("good", "crack", "pit")
    assert curve.counts.tolist() == [40, 10, 10]
    assert curve.prevalence == pytest.approx([0.9, 0.05, 0.05])
    assert curve.repeatability == pytest.approx(0.9, abs=0.07)
    good = fitted.probability(scores[labels == "good"])
    middle = len(curve.thresholds) // 2
    share = np.mean(good < curve.thresholds[middle])
    assert curve.below[0, 0, middle] == pytest.approx((0.5 + 40 * share) / 41)


def test_labels_may_be_numbers_and_parts_anything_that_can_be_told_apart() -> None:
    scores, labels, parts = looks()
    named = OperatingCurve.of(scores, np.where(labels == "good", "good", "bad"), parts)
    numbered = OperatingCurve.of(list(scores), (labels != "good").tolist(), [f"{p:03d}" for p in parts], good=False)
    assert np.array_equal(named.below, numbered.below)
    assert numbered.classes == ("good", "True")
    assert named.at(0.2).escape_rate() < named.at(0.8).escape_rate()


def test_a_calibration_of_other_parts_is_taken_as_it_is() -> None:
    scores, labels, parts = looks()
    other = Calibration(method="platt", share=0.5, slope=2.0, intercept=-4.0)
    curve = OperatingCurve.of(scores, labels, parts, calibration=other)
    assert curve.below_at(0.5)[0] == pytest.approx((0.5 + np.sum(scores[labels == "good"] < 2.0) / 2) / 41)


def test_the_draws_repeat_with_the_seed() -> None:
    scores, labels, parts = looks()
    one, two, other = (OperatingCurve.of(scores, labels, parts, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.below, two.below)
    assert not np.array_equal(one.below[1:], other.below[1:])


@pytest.mark.parametrize(
    ("scores", "labels", "groups", "reason"),
    [
        ([0.1, np.nan], ["good", "bad"], None, "row 1: expected a finite score, got nan: leave the row out"),
        ([0.1, 0.2, 0.3], ["good", "bad"], None, "expected scores, labels and groups of one length, got 3, 2, 3"),
        ([0.1, 0.2], ["good", "bad"], ["a"], "got 2, 2, 1"),
        ([0.1, 0.2], ["ok", "bad"], None, "no label is 'good', they are bad, ok: name the good one as good="),
        ([0.1, 0.2], ["good", "good"], None, "found 2 good and 0 defective"),
    ],
)
def test_scores_that_make_no_curve_are_refused(
    scores: list[float], labels: list[str], groups: list[str] | None, reason: str
) -> None:
    with pytest.raises(InputError) as caught:
        OperatingCurve.of(scores, labels, groups)
    assert reason in str(caught.value)
