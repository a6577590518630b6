import dataclasses
import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.vision.evaluation.judged import images, judged
from twinloop.contracts.part_costs import outcome
from twinloop.vision.evaluation.figures import figures
from twinloop.vision.evaluation.judgement import Judgement, judge
from twinloop.vision.evaluation.settings import EvaluateSettings
from twinloop.vision.inference.predict import DeployedDetector


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


def test_repeatability_is_measured_where_parts_were_seen_twice(
    detector: DeployedDetector, judgement: Judgement
) -> None:
    assert judgement.repeatability_measured
    assert 0.6 < judgement.curve.repeatability < 1
    once = judge(
        detector,
        images(60, 20, 20, seed=1, exposures=1),
        images(60, 20, 20, seed=2, exposures=1),
        settings=EvaluateSettings(draws=5, repeatability=0.33),
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


def test_the_same_seed_gives_the_same_curve_and_figures(detector: DeployedDetector, judgement: Judgement) -> None:
    again = judged(detector)
    assert np.array_equal(again.curve.below, judgement.curve.below)
    assert figures(again, seed=7) == figures(judgement, seed=7)


def test_without_any_mask_there_are_no_localisation_figures(detector: DeployedDetector) -> None:
    bare = images(30, 0, 20, seed=2)
    measured = figures(
        judge(detector, images(30, 10, 10, seed=1), bare, settings=EvaluateSettings(draws=5), seed=7),
        seed=7,
    )
    assert measured["pixel_auroc"] is None
    assert "pointing" not in measured
    assert measured["aupro"] is None


def test_region_overlap_is_given_per_class_and_for_all(judgement: Judgement) -> None:
    measured = figures(judgement, seed=7)
    assert 0.15 < measured["aupro"] <= 1  # type: ignore[operator]
    assert measured["aupro_spot"] == pytest.approx(measured["aupro"])  # smears have no masks
    assert measured["aupro_smear"] is None


def test_without_a_limit_escapes_are_still_stated(judgement: Judgement) -> None:
    measured = figures(judgement, seed=7)
    assert measured["escape_limit"] == "none"
    assert measured["escape_limit_result"] is None
    assert 0 < measured["escape_ppm"] < measured["escape_ppm_upper"]  # type: ignore[operator]


def test_a_detector_that_names_no_defects_has_no_type_figures(judgement: Judgement) -> None:
    measured = figures(judgement, seed=7)
    unnamed = figures(dataclasses.replace(judgement, names_defects=False), seed=7)
    assert measured["type_accuracy"] is not None
    assert unnamed["type_accuracy"] is None
    assert {name for name in measured if measured[name] != unnamed[name]} == {"type_accuracy"}


def test_the_takt_is_stated_in_seconds_and_may_be_unknown(detector: DeployedDetector, judgement: Judgement) -> None:
    assert figures(judgement, seed=7)["takt_s"] is None
    assert figures(judged(detector, takt_min=1.9), seed=7)["takt_s"] == pytest.approx(114)


def test_repeats_give_a_gauge_study_and_single_photographs_none(
    detector: DeployedDetector, judgement: Judgement
) -> None:
    measured = figures(judgement, seed=7)
    assert 0 <= measured["grr_low"] < measured["grr"] < measured["grr_high"] <= 1  # type: ignore[operator]
    once = judge(
        detector,
        images(40, 10, 10, seed=1),
        images(40, 10, 10, seed=2, exposures=1),
        settings=EvaluateSettings(),
        seed=7,
    )
    assert figures(once, seed=7)["grr"] is None
