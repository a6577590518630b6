import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from tests.vision.synthetic_graph import CLASSES, write_detector
from twinloop.contracts import Decision
from twinloop.errors import InputError
from twinloop.vision.evaluation.judgement import (
    Judgement,
    examples,
    figures,
    judge,
    operating_point,
    predictions,
    reliability_table,
)
from twinloop.vision.evaluation.operating import EvaluateSettings, outcome
from twinloop.vision.index import ImageSet
from twinloop.vision.inference.predict import OnnxDetector

SIZE = 32


def images(good: int, spot: int, smear: int, *, seed: int, exposures: int = 2) -> ImageSet:
    """Dark parts, some with a spot or a smear whose brightness belongs to the part; exposures differ a little."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.repeat([0, 1, 2], [good, spot, smear]), exposures)
    parts = np.repeat(np.arange(good + spot + smear), exposures)
    brightness = random.normal([90, 150, 110], 25, (len(parts), 3))[parts, labels] + random.normal(0, 10, len(labels))
    pixels = np.zeros((len(labels), SIZE, SIZE, 1), np.uint8)
    masks = np.zeros((len(labels), SIZE, SIZE), np.uint8)
    for place, (label, value) in enumerate(zip(labels, brightness, strict=True)):
        row, column = 4 * random.integers(0, 6, 2)
        pixels[place, row : row + 8, column : column + 8] = np.clip(value, 0, 255)
        masks[place, row : row + 8, column : column + 8] = label > 0
    return ImageSet(
        images=pixels,
        masks=masks,
        masked=labels < 2,  # smears have no pixel truth
        labels=labels.astype(np.int64),
        classes=CLASSES,
        groups=tuple(f"part {part}" for part in parts),
        names=tuple(f"{place}.png" for place in range(len(labels))),
    )


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> OnnxDetector:
    return OnnxDetector(write_detector(tmp_path_factory.mktemp("onnx"), size=SIZE))


@pytest.fixture(scope="module")
def judgement(detector: OnnxDetector) -> Judgement:
    return judged(detector)


def judged(detector: OnnxDetector, **changes: object) -> Judgement:
    return judge(
        detector,
        images(60, 20, 20, seed=1),
        images(80, 30, 20, seed=2),
        settings=EvaluateSettings(draws=50, **changes),  # type: ignore[arg-type]
        model="digest",
        seed=7,
    )


def test_figures_are_those_of_the_test_split(judgement: Judgement) -> None:
    measured = figures(judgement, seed=7)
    expected = roc_auc_score(judgement.test.defective, judgement.test.scores)
    assert measured["auroc"] == pytest.approx(expected)
    assert list(measured)[:2] == ["auroc", "ap"]
    assert measured["auroc_low"] < expected < measured["auroc_high"]  # type: ignore[operator]
    assert (measured["test_images"], measured["test_parts"]) == (260, 130)
    assert json.loads(json.dumps(measured, allow_nan=False)) == measured


def test_rates_and_cost_are_those_of_the_curve(judgement: Judgement) -> None:
    measured = figures(judgement, seed=7)
    settings = judgement.settings
    assert measured["expected_cost_per_part"] == outcome(judgement.curve, settings.costs).cost_per_part
    assert measured["expected_cost_per_part_today"] == outcome(judgement.today, settings.costs).cost_per_part
    assert measured["threshold"] == judgement.curve.accept_below
    assert judgement.today.accept_below == judgement.today.reject_from == settings.today_threshold
    for name in ("escape_rate", "false_reject_rate", "expected_cost_per_part"):
        assert measured[f"{name}_low"] < measured[name] < measured[f"{name}_high"]  # type: ignore[operator]


def test_the_test_split_has_no_part_in_the_thresholds_or_the_calibration(
    detector: OnnxDetector, judgement: Judgement
) -> None:
    other = judge(
        detector,
        images(60, 20, 20, seed=1),
        images(30, 30, 30, seed=99),
        settings=judgement.settings,
        model="digest",
        seed=7,
    )
    assert other.fitted == judgement.fitted
    assert (other.curve.accept_below, other.curve.reject_from) == (
        judgement.curve.accept_below,
        judgement.curve.reject_from,
    )
    assert not np.array_equal(other.curve.below, judgement.curve.below)


def test_rates_are_at_the_lines_defect_rate_not_the_test_sets(detector: OnnxDetector, judgement: Judgement) -> None:
    assert judgement.curve.prevalence == pytest.approx([0.97, 0.018, 0.012])
    rare = judged(detector, line_defect_rate=0.001)
    assert rare.on_line.probability(np.zeros(1)) < judgement.on_line.probability(np.zeros(1))
    assert rare.curve.prevalence[0] == pytest.approx(0.999)


def test_repeatability_is_measured_where_parts_were_seen_twice(detector: OnnxDetector, judgement: Judgement) -> None:
    assert judgement.repeatability_measured
    assert 0.6 < judgement.curve.repeatability < 1
    once = judge(
        detector,
        images(60, 20, 20, seed=1, exposures=1),
        images(60, 20, 20, seed=2, exposures=1),
        settings=EvaluateSettings(draws=5, repeatability=0.33),
        model="digest",
        seed=7,
    )
    assert not once.repeatability_measured
    assert once.curve.repeatability == 0.33
    assert figures(once, seed=7)["repeatability_source"] == "configured"


def test_chosen_thresholds_cost_less_than_todays(judgement: Judgement) -> None:
    measured = figures(judgement, seed=7)
    assert measured["expected_cost_per_part"] < measured["expected_cost_per_part_today"]  # type: ignore[operator]


def test_heat_maps_beat_the_blob_in_the_middle(judgement: Judgement) -> None:
    measured = figures(judgement, seed=7)
    assert measured["pointing"] > measured["pointing_centre_blob"]  # type: ignore[operator]
    assert measured["heat_energy"] > measured["heat_energy_centre_blob"]  # type: ignore[operator]
    assert 0 < measured["iou"] < 1  # type: ignore[operator]


def test_the_operating_point_makes_the_station_decide_as_the_table_says(
    judgement: Judgement, detector: OnnxDetector, tmp_path: Path
) -> None:
    folder = write_detector(tmp_path / "onnx", size=SIZE)
    (tmp_path / "point.json").write_text(json.dumps(operating_point(judgement)))
    station = OnnxDetector(folder, operating_point=tmp_path / "point.json")
    table = predictions(judgement)
    test = judgement.test.data
    for finding, row in zip(station.predict_batch(list(test.images)), table.iter_rows(named=True), strict=True):
        assert finding.defect_probability == pytest.approx(row["probability"], rel=1e-4)
        assert finding.decision is Decision(row["decision"])


def test_the_table_has_one_row_per_test_image(judgement: Judgement) -> None:
    table = predictions(judgement)
    assert len(table) == 260
    assert table["image"].to_list() == list(judgement.test.data.names)
    assert set(table["label"]) == set(CLASSES)
    assert set(table["decision_today"]) <= {"accept", "reject"}


def test_reliability_counts_every_image_before_and_after(judgement: Judgement) -> None:
    table = reliability_table(judgement)
    totals = dict(table.group_by("scores").agg(pl.col("count").sum()).iter_rows())
    assert totals == {"uncalibrated": 260, "calibrated": 260}


def test_examples_run_from_the_lowest_to_the_highest_score(judgement: Judgement) -> None:
    picked = examples(judgement)
    assert np.bincount(picked["labels"]).tolist() == [4, 4, 4]
    spots = picked["scores"][picked["labels"] == 1]
    assert np.all(np.diff(spots) >= 0)
    assert spots[-1] == judgement.test.scores[judgement.test.data.labels == 1].max()
    assert picked["heat"].shape == picked["masks"].shape == (12, SIZE, SIZE)
    assert picked["attention"].sum(axis=(1, 2)) == pytest.approx(np.ones(12))


def test_the_same_seed_gives_the_same_curve_and_figures(detector: OnnxDetector, judgement: Judgement) -> None:
    again = judged(detector)
    assert np.array_equal(again.curve.below, judgement.curve.below)
    assert figures(again, seed=7) == figures(judgement, seed=7)


def test_a_validation_split_without_defects_is_refused(detector: OnnxDetector) -> None:
    with pytest.raises(InputError, match="good and defective images"):
        judge(
            detector,
            images(10, 0, 0, seed=1),
            images(10, 5, 5, seed=2),
            settings=EvaluateSettings(),
            model="digest",
            seed=7,
        )


def test_without_any_mask_there_are_no_localisation_figures(detector: OnnxDetector) -> None:
    bare = images(30, 0, 20, seed=2)
    measured = figures(
        judge(detector, images(30, 10, 10, seed=1), bare, settings=EvaluateSettings(draws=5), model="digest", seed=7),
        seed=7,
    )
    assert measured["pixel_auroc"] is None
    assert "pointing" not in measured
