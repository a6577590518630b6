import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.contracts.repeatability import ALL_CLASSES, gauge, repeatability


@pytest.mark.parametrize("truth", [0.0, 0.3, 0.8, 0.95])
def test_repeatability_is_recovered_from_repeated_exposures(truth: float) -> None:
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], 300)
    part = np.arange(600)
    difficulty = random.normal(size=600)
    seen = np.repeat(part, 4)
    noise = random.normal(size=len(seen))
    scores = np.sqrt(truth) * difficulty[seen] + np.sqrt(1 - truth) * noise + 5 * labels[seen]
    measured_value = repeatability(np.exp(scores), labels[seen], [str(value) for value in seen])
    assert measured_value == pytest.approx(truth, abs=0.04)


def test_repeatability_of_a_hand_computed_table_is_icc_1() -> None:
    # Shrout and Fleiss (1979), table 2: six targets, four judges, ICC(1,1) = .17. Ranks stand in for their ratings,
    # so the value is computed here from the mean squares of the normal scores.
    from scipy.special import ndtri
    from scipy.stats import rankdata

    table = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
    normal = ndtri((rankdata(table) - 0.5) / 24).reshape(6, 4)
    between = 4 * normal.mean(axis=1).var(ddof=1)
    within = normal.var(axis=1, ddof=1).mean()
    expected = (between - within) / (between + 3 * within)
    groups = [str(row) for row in np.repeat(np.arange(6), 4)]
    assert repeatability(table.ravel(), np.zeros(24, np.int64), groups) == pytest.approx(expected)


def test_single_exposures_measure_no_repeatability() -> None:
    labels = np.zeros(50, np.int64)
    assert repeatability(np.arange(50.0), labels, [str(place) for place in range(50)]) is None


def test_identical_exposures_are_perfectly_repeatable() -> None:
    scores = np.repeat(np.random.default_rng(0).normal(size=30), 2)
    groups = [str(place) for place in np.repeat(np.arange(30), 2)]
    assert repeatability(scores, np.zeros(60, np.int64), groups) == pytest.approx(1, abs=0.01)


def exposures(
    parts: int, times: int, *, part_sd: float, repeat_sd: float, seed: int = 0
) -> tuple[np.ndarray, list[str]]:
    random = np.random.default_rng(seed)
    seen = np.repeat(np.arange(parts), times)
    scores = random.normal(0, part_sd, parts)[seen] + random.normal(0, repeat_sd, len(seen))
    return scores, [str(part) for part in seen]


def test_variance_components_of_a_hand_computed_table() -> None:
    # Shrout and Fleiss (1979), table 2, read as six parts seen four times: mean squares 11.24 between, 6.26 within.
    table = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
    groups = [str(row) for row in np.repeat(np.arange(6), 4)]
    study = gauge(table.ravel(), np.zeros(24, np.int64), groups, classes=("good",))[0]
    assert (study.name, study.parts, study.images) == ("good", 6, 24)
    assert study.repeat_sd**2 == pytest.approx(6.26, abs=0.005)
    assert study.part_sd**2 == pytest.approx((11.24 - 6.26) / 4, abs=0.005)
    assert 1 - study.grr**2 == pytest.approx(0.166, abs=0.001)  # their ICC(1,1) = .17
    # their 95 % interval of ICC(1,1): −.13 … .72
    assert 1 - study.grr_low**2 == pytest.approx(0.72, abs=0.01)
    assert study.grr_high == 1
    assert study.categories == 0


def test_components_are_recovered_with_their_interval() -> None:
    scores, groups = exposures(400, 3, part_sd=2.0, repeat_sd=0.5)
    study = gauge(scores, np.zeros(1200, np.int64), groups, classes=("good",))[0]
    assert (study.part_sd, study.repeat_sd) == pytest.approx((2.0, 0.5), rel=0.08)
    assert study.grr_low < 0.5 / np.hypot(2.0, 0.5) < study.grr_high
    assert study.categories == int(1.41 * study.part_sd / study.repeat_sd) == 5


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    truth, held = 1 / np.hypot(2, 1), 0
    for seed in range(200):
        scores, groups = exposures(15, 2, part_sd=2.0, repeat_sd=1.0, seed=seed)
        study = gauge(scores, np.zeros(30, np.int64), groups, classes=("good",))[0]
        held += study.grr_low <= truth <= study.grr_high
    assert 180 <= held <= 199  # binomial, 95 %, three deviations


def test_classes_are_studied_apart_and_the_last_study_holds_all_parts() -> None:
    scores, groups = exposures(40, 2, part_sd=0.3, repeat_sd=1.0)
    labels = np.repeat([0, 1], 40)
    scores = scores + 10 * labels
    good, crack, everything = gauge(scores, labels, groups, classes=("good", "crack", "pit"))
    assert (good.name, crack.name, everything.name) == ("good", "crack", ALL_CLASSES)
    assert good.grr > 0.7  # parts of one class cannot be told apart
    assert everything.grr < 0.3  # good ones and cracks can


def test_exposures_that_never_differ_measure_no_error() -> None:
    scores = np.repeat(np.arange(5.0), 3)
    study = gauge(
        scores, np.zeros(15, np.int64), [str(part) for part in np.repeat(np.arange(5), 3)], classes=("good",)
    )[0]
    assert (study.repeat_sd, study.grr, study.grr_low, study.categories) == (0, 0, 0, None)


@pytest.mark.parametrize("groups", [["a"] * 6, list("abcdef"), ["a", "a", "b", "c", "d", "e"]])
def test_without_parts_or_repeats_there_is_no_study(groups: list[str]) -> None:
    assert gauge(np.arange(6.0), np.zeros(6, np.int64), groups, classes=("good",)) == []


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.floats(0.1, 10), st.floats(-50, 50))
def test_a_scores_unit_does_not_change_the_verdict(seed: int, factor: float, shift: float) -> None:
    scores, groups = exposures(12, 3, part_sd=1.0, repeat_sd=0.5, seed=seed)
    labels = np.zeros(36, np.int64)
    one, other = (gauge(values, labels, groups, classes=("good",))[0] for values in (scores, factor * scores + shift))
    assert other.grr == pytest.approx(one.grr, abs=1e-6)
    assert other.repeat_sd == pytest.approx(factor * one.repeat_sd)
    assert 0 <= one.grr_low <= one.grr <= one.grr_high <= 1
