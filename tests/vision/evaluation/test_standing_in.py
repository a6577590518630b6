"""Where no real defect is at hand, rendered ones stand in, and good images alone set the threshold."""

import numpy as np
import pytest

from tests.vision.evaluation.judged import images
from twinloop.errors import InputError
from twinloop.vision.evaluation.figures import figures
from twinloop.vision.evaluation.judgement import judge
from twinloop.vision.evaluation.settings import EvaluateSettings
from twinloop.vision.evaluation.standing_in import threshold_of_good, with_stand_ins
from twinloop.vision.inference.predict import DeployedDetector

SETTINGS = EvaluateSettings(draws=50, false_alarm_rate=0.05)


def test_a_split_with_real_defects_stays_as_it_is() -> None:
    real = images(4, 1, 0, seed=0)
    assert with_stand_ins(real, seed=1) is real


def test_every_second_good_image_gets_a_defect_with_its_mask() -> None:
    bare = images(10, 0, 0, seed=0)
    shown = with_stand_ins(bare, seed=1)
    pasted = shown.labels > 0
    assert pasted.sum() == 10
    assert not pasted[1::2].any()
    assert (shown.masks.any(axis=(1, 2)) == pasted).all()
    assert (shown.images[pasted] != bare.images[pasted]).any()
    assert (bare.labels == 0).all()


def test_too_few_images_are_refused_with_what_helps() -> None:
    with pytest.raises(InputError, match=r"needs 4 good images for that, found 2: add good images"):
        with_stand_ins(images(1, 0, 0, seed=0), seed=1)


@pytest.mark.parametrize(("rate", "count", "reached"), [(0.05, 100, 5), (0.01, 100, 1), (0.01, 10, 0), (0.5, 4, 2)])
def test_no_more_good_images_than_stated_reach_the_threshold(rate: float, count: int, reached: int) -> None:
    scores = np.random.default_rng(0).permutation(count) / count
    threshold = threshold_of_good(scores, EvaluateSettings(false_alarm_rate=rate))
    assert int((scores >= threshold).sum()) == reached


def test_without_defects_in_validation_good_images_choose_and_the_test_measures(detector: DeployedDetector) -> None:
    judged = judge(detector, images(60, 0, 0, seed=1), images(40, 20, 0, seed=2), settings=SETTINGS, seed=7)
    assert judged.stand_ins == ("val",)
    assert judged.curve.accept_below == judged.curve.reject_from
    probabilities = judged.on_line.probability(judged.validation.scores[~judged.validation.defective])
    assert (probabilities >= judged.curve.reject_from).mean() <= 2 * SETTINGS.false_alarm_rate
    assert judged.test.data.labels.max() == 1


def test_good_images_alone_end_in_figures(detector: DeployedDetector) -> None:
    judged = judge(detector, images(30, 0, 0, seed=1), images(30, 0, 0, seed=2), settings=SETTINGS, seed=7)
    assert judged.stand_ins == ("val", "test")
    measured = figures(judged, seed=7)
    assert 0 <= float(measured["auroc_low"] or 0) <= float(measured["auroc"] or 0) <= 1
