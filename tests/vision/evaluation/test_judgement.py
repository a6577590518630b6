from dataclasses import replace

import numpy as np
import pytest

from tests.vision.evaluation.judged import images, judged
from twinloop.errors import InputError, RunError
from twinloop.vision.evaluation.constraint import upper_escape_ppm
from twinloop.vision.evaluation.figures import figures
from twinloop.vision.evaluation.judgement import Judgement, judge, raw_outputs
from twinloop.vision.evaluation.settings import EvaluateSettings
from twinloop.vision.index import ImageSet
from twinloop.vision.inference.predict import DeployedDetector


def test_the_test_split_has_no_part_in_the_thresholds_or_the_calibration(
    detector: DeployedDetector, judgement: Judgement
) -> None:
    other = judge(
        detector,
        images(60, 20, 20, seed=1),
        images(30, 30, 30, seed=99),
        settings=judgement.settings,
        seed=7,
    )
    assert other.fitted == judgement.fitted
    assert (other.curve.accept_below, other.curve.reject_from) == (
        judgement.curve.accept_below,
        judgement.curve.reject_from,
    )
    assert not np.array_equal(other.curve.below, judgement.curve.below)


def test_rates_are_at_the_lines_defect_rate_not_the_test_sets(detector: DeployedDetector, judgement: Judgement) -> None:
    assert judgement.curve.prevalence == pytest.approx([0.97, 0.018, 0.012])
    rare = judged(detector, line_defect_rate=0.001)
    assert rare.on_line.probability(np.zeros(1)) < judgement.on_line.probability(np.zeros(1))
    assert rare.curve.prevalence[0] == pytest.approx(0.999)


def test_a_validation_split_without_good_images_is_refused(detector: DeployedDetector) -> None:
    with pytest.raises(InputError, match="found 0 good and 40 defective: add good ones"):
        judge(detector, images(0, 10, 10, seed=1), images(10, 5, 5, seed=2), settings=EvaluateSettings(), seed=7)


def test_a_limit_on_escapes_is_refused_where_validation_shows_no_real_defect(detector: DeployedDetector) -> None:
    settings = EvaluateSettings(max_escapes_ppm=100.0)
    with pytest.raises(InputError, match="max_escapes_ppm=100: no real defect in validation.*add images of defects"):
        judge(detector, images(20, 0, 0, seed=1), images(10, 5, 5, seed=2), settings=settings, seed=7)


def test_a_limit_on_escapes_is_kept_on_the_validation_split_and_checked_on_the_test_split(
    detector: DeployedDetector, judgement: Judgement
) -> None:
    limited = judged(detector, max_escapes_ppm=20_000.0)
    assert limited.limit is not None
    assert limited.limit.status == "met"
    assert limited.limit.upper_ppm <= 20_000
    assert limited.curve.accept_below < judgement.curve.accept_below
    measured = figures(limited, seed=7)
    assert measured["escape_ppm_upper"] == upper_escape_ppm(limited.curve)
    assert measured["escape_limit_confirmed"] == (upper_escape_ppm(limited.curve) <= 20_000)
    assert measured["escape_limit_result"] == limited.limit.line


def test_a_limit_that_no_thresholds_keep_is_a_result_and_cost_decides(
    detector: DeployedDetector, judgement: Judgement
) -> None:
    unmet = judged(detector, max_escapes_ppm=10.0)
    assert unmet.limit is not None
    assert unmet.limit.status != "met"
    assert unmet.curve.accept_below == judgement.curve.accept_below
    measured = figures(unmet, seed=7)
    assert measured["escape_limit"] == unmet.limit.status
    assert "no thresholds keep escapes under 10.0" in str(measured["escape_limit_result"])


def test_a_limit_that_no_thresholds_keep_stops_the_stage_where_that_is_configured(detector: DeployedDetector) -> None:
    with pytest.raises(RunError, match="no thresholds keep escapes under 10.0"):
        judged(detector, max_escapes_ppm=10.0, unmet_limit="stop")


def test_a_limit_needs_enough_draws_to_speak_of_95_percent() -> None:
    with pytest.raises(ValueError, match="max_escapes_ppm needs draws ≥ 40"):
        EvaluateSettings(max_escapes_ppm=100.0, draws=39)


def test_tiles_are_judged_as_the_pictures_that_they_were_cut_from(detector: DeployedDetector) -> None:
    tiles = images(20, 20, 0, seed=3, exposures=1)
    order = np.random.default_rng(4).permutation(len(tiles))
    pictures = tuple(f"picture {place % 10}" for place in range(len(tiles)))
    cut = replace(subset(tiles, order), pictures=pictures)
    outputs = raw_outputs(detector, cut)
    assert outputs.data.labels.shape == outputs.scores.shape == (10,)
    assert outputs.pieces.scores.shape == (40,)
    for place in range(10):
        own = [tile for tile in range(40) if pictures[tile] == f"picture {place}"]
        assert outputs.scores[place] == outputs.pieces.scores[own].max()
        assert outputs.data.labels[place] == cut.labels[own].max()
        hottest = own[int(outputs.pieces.scores[own].argmax())]
        np.testing.assert_array_equal(outputs.data.images[place], cut.images[hottest])
        assert outputs.data.names[place] == cut.names[hottest]


def subset(data: ImageSet, order: np.ndarray) -> ImageSet:
    arrays = {name: getattr(data, name)[order] for name in ("images", "masks", "masked", "labels")}
    texts = {name: tuple(getattr(data, name)[place] for place in order) for name in ("groups", "names")}
    return replace(data, **arrays, **texts)
