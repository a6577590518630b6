import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.vision.evaluation.judged import SIZE, images
from tests.vision.synthetic_graph import CLASSES, write_detector
from twinloop.contracts import Decision
from twinloop.vision.evaluation.judgement import Judgement, judge
from twinloop.vision.evaluation.records import (
    GAUGE_SCHEMA,
    drift_reference,
    examples,
    gauge_table,
    operating_point,
    predictions,
    reliability_table,
)
from twinloop.vision.evaluation.settings import EvaluateSettings
from twinloop.vision.inference.predict import DeployedDetector


def test_the_operating_point_makes_the_station_decide_as_the_table_says(
    judgement: Judgement, detector: DeployedDetector, tmp_path: Path
) -> None:
    folder = write_detector(tmp_path / "onnx", size=SIZE)
    operating_point(judgement).save(tmp_path / "point.json")
    station = DeployedDetector(folder, operating_point=tmp_path / "point.json")
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
    picked = examples(judgement, ("attention",))
    assert np.bincount(picked["labels"]).tolist() == [4, 4, 4]
    spots = picked["scores"][picked["labels"] == 1]
    assert np.all(np.diff(spots) >= 0)
    assert spots[-1] == judgement.test.scores[judgement.test.data.labels == 1].max()
    assert picked["map_heat"].shape == picked["map_attention"].shape == picked["masks"].shape == (12, SIZE, SIZE)
    assert 0 <= picked["map_heat"].min() < picked["map_heat"].max() <= 1


def test_a_detector_that_names_no_defects_calls_each_a_defect(judgement: Judgement) -> None:
    table = predictions(dataclasses.replace(judgement, names_defects=False))
    assert table["defect_type"].unique().to_list() == ["defect"]
    assert table["type_probability"].null_count() == len(table)
    assert table.schema == predictions(judgement).schema


def test_the_gauge_table_has_a_row_per_class_with_repeats_and_keeps_its_columns_without(
    detector: DeployedDetector, judgement: Judgement
) -> None:
    assert gauge_table(judgement)["name"].to_list() == [*CLASSES, "all parts"]
    once = images(40, 10, 10, seed=2, exposures=1)
    bare = gauge_table(judge(detector, once, once, settings=EvaluateSettings(draws=5), seed=7))
    assert bare.is_empty()
    assert dict(bare.schema) == GAUGE_SCHEMA


def test_the_drift_reference_holds_each_test_part_once_in_the_lines_mix(judgement: Judgement) -> None:
    reference = drift_reference(judgement, seed=7)
    # 80 good parts and 3 % defective ones beside them
    assert len(reference.stopped) == len(reference.values["score"]) == 82
    assert set(reference.values["score"]) <= {float(f"{score:.6g}") for score in judgement.test.scores}
    assert reference.model == judgement.curve.model
    assert (reference.size, reference.channels) == (SIZE, 1)
