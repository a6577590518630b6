import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from twinloop.contracts.calibration import (
    Calibration,
    Method,
    brier,
    expected_calibration_error,
    fit_calibration,
    reliability,
)
from twinloop.errors import InputError

METHODS: tuple[Method, ...] = ("platt", "temperature", "isotonic")


def sample(count: int, *, slope: float, intercept: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    scores = random.normal(0, 3, count)
    return scores, random.random(count) < expit(slope * scores + intercept)


def test_platt_scaling_finds_the_truth() -> None:
    scores, defective = sample(200_000, slope=0.5, intercept=-0.7)
    fitted = fit_calibration(scores, defective, method="platt")
    assert (fitted.slope, fitted.intercept) == pytest.approx((0.5, -0.7), abs=0.02)


def test_platt_scaling_agrees_with_an_unpenalised_logistic_regression() -> None:
    from sklearn.linear_model import LogisticRegression

    scores, defective = sample(4000, slope=0.8, intercept=0.4)
    peer = LogisticRegression(C=np.inf, tol=1e-10).fit(scores[:, None], defective)
    fitted = fit_calibration(scores, defective, method="platt")
    # Platt's smoothed targets move it by about 1/n.
    assert (fitted.slope, fitted.intercept) == pytest.approx((peer.coef_[0, 0], peer.intercept_[0]), abs=0.01)


def test_temperature_scaling_keeps_a_score_of_zero_at_one_half() -> None:
    scores, defective = sample(50_000, slope=0.25, intercept=0.0)
    fitted = fit_calibration(scores, defective, method="temperature")
    assert fitted.slope == pytest.approx(0.25, abs=0.01)
    assert fitted.probability(np.zeros(1)) == pytest.approx([0.5])


def test_isotonic_levels_are_the_pooled_shares() -> None:
    scores = np.array([0.0, 1.0, 2.0, 3.0])
    fitted = fit_calibration(scores, np.array([False, True, False, True]), method="isotonic")
    # pool adjacent violators: 0, ½, ½, 1; the ends are held off certainty by 1 / (n + 2)
    assert fitted.probability(scores) == pytest.approx([1 / 6, 1 / 2, 1 / 2, 5 / 6])


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.floats(-2, 2))
def test_calibration_never_changes_the_order(method: Method, seed: int, slope: float) -> None:
    scores, defective = sample(60, slope=slope, intercept=0, seed=seed)
    if defective.all() or not defective.any():
        return
    fitted = fit_calibration(scores, defective, method=method)
    values = fitted.probability(np.sort(scores))
    assert np.all(np.diff(values) >= 0)
    assert np.all((values > 0) & (values < 1))


@pytest.mark.parametrize("method", METHODS)
def test_perfectly_separated_scores_are_not_certain(method: Method) -> None:
    scores = np.concatenate([np.full(20, -5.0), np.full(20, 5.0)])
    values = fit_calibration(scores, scores > 0, method=method).probability(scores)
    assert np.all((values > 0.01) & (values < 0.99))


def test_calibration_corrects_overconfident_scores() -> None:
    scores, defective = sample(5000, slope=0.4, intercept=-1.0)
    test_scores, test_defective = sample(5000, slope=0.4, intercept=-1.0, seed=1)
    before = expected_calibration_error(expit(test_scores), test_defective)
    fitted = fit_calibration(scores, defective, method="platt")
    assert before > 0.15
    assert expected_calibration_error(fitted.probability(test_scores), test_defective) < 0.03


def test_the_prior_moves_odds_not_order() -> None:
    fitted = Calibration(method="platt", share=0.5, slope=1.0)
    moved = fitted.at_defect_rate(0.03).probability(np.array([0.0, 2.0]))
    # Bayes: odds × (0.03/0.97) / (0.5/0.5)
    assert moved == pytest.approx([0.03, expit(2 + logit(0.03))])
    assert fitted.at_defect_rate(0.03).at_defect_rate(0.5).shift == 0


def test_prior_correction_is_right_for_a_line_with_fewer_defects() -> None:
    random = np.random.default_rng(0)

    def draw(count: int, rate: float) -> tuple[np.ndarray, np.ndarray]:
        defective = random.random(count) < rate
        return random.normal(np.where(defective, 1.5, -1.5), 1.5), defective

    fitted = fit_calibration(*draw(20_000, 0.5), method="platt").at_defect_rate(0.02)
    scores, defective = draw(200_000, 0.02)
    assert fitted.probability(scores).mean() == pytest.approx(0.02, abs=0.002)
    assert expected_calibration_error(fitted.probability(scores), defective) < 0.004


def test_ece_and_brier_of_a_hand_computed_case() -> None:
    probabilities = np.array([0.05, 0.15, 0.15, 0.95])
    outcomes = np.array([False, True, False, True])
    # bins: [0, .1): |.05 − 0| · 1, [.1, .2): |.15 − .5| · 2, [.9, 1]: |.95 − 1| · 1
    assert expected_calibration_error(probabilities, outcomes) == pytest.approx((0.05 + 0.70 + 0.05) / 4)
    assert brier(probabilities, outcomes) == pytest.approx((0.05**2 + 0.85**2 + 0.15**2 + 0.05**2) / 4)
    assert [row["count"] for row in reliability(probabilities, outcomes)] == [1, 2, 1]


def test_certainty_falls_into_the_last_bin() -> None:
    assert reliability(np.array([1.0]), np.array([True]))[0]["high"] == 1.0


@pytest.mark.parametrize("method", METHODS)
def test_the_record_survives_json(method: Method) -> None:
    import json

    scores, defective = sample(50, slope=1, intercept=0)
    fitted = fit_calibration(scores, defective, method=method).at_defect_rate(0.1)
    again = Calibration.from_record(json.loads(json.dumps(fitted.record())))
    assert again == fitted


@pytest.mark.parametrize("defective", [np.zeros(5, bool), np.ones(5, bool)])
def test_a_split_of_one_kind_is_refused(defective: np.ndarray) -> None:
    with pytest.raises(InputError, match="good and defective images, found .*: add (good|defective) ones"):
        fit_calibration(np.arange(5.0), defective, method="platt")


def test_scores_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="finite"):
        fit_calibration(np.array([0.0, np.nan]), np.array([True, False]), method="platt")


@pytest.mark.parametrize("method", METHODS)
def test_a_probability_has_the_score_that_has_it(method: Method) -> None:
    scores, defective = sample(2000, slope=0.8, intercept=-1.0)
    fitted = fit_calibration(scores, defective, method=method).at_defect_rate(0.03)
    for probability in (0.02, 0.03, 0.1):
        assert fitted.probability(np.array([fitted.score(probability)])) == pytest.approx([probability], abs=1e-9)
