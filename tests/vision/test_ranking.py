import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import f1_score as peer_f1
from sklearn.metrics import roc_auc_score

from twinloop.vision.ranking import auroc, average_precision, best_f1, best_threshold, f1_score, rank_correlation

SCORES = np.array([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])
POSITIVE = np.array([False, False, False, True, True, True])


def test_auroc_of_a_known_ranking() -> None:
    assert auroc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])) == 0.75


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auroc_agrees_with_scikit_learn_ties_included(rows: list[tuple[int, bool]]) -> None:
    scores, positive = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    if positive.all() or not positive.any():
        assert np.isnan(auroc(scores, positive))
    else:
        assert auroc(scores, positive) == pytest.approx(roc_auc_score(positive, scores))


def test_average_precision_of_a_known_ranking() -> None:
    positive = np.array([True, False, True, False])
    assert average_precision(np.array([4.0, 3.0, 2.0, 1.0]), positive) == pytest.approx((1 + 2 / 3) / 2)
    assert np.isnan(average_precision(np.array([1.0, 2.0]), np.array([True, True])))


def test_the_best_threshold_lies_between_separable_scores() -> None:
    assert best_threshold(SCORES, POSITIVE) == 0.0


def test_the_best_f1_threshold_is_best_among_all_scores() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(60) % 3
    scores = (random.normal(size=60) + 1.2 * (labels > 0)).round(1)  # with ties
    values = [f1_score(scores, labels > 0, threshold=value) for value in scores]
    best, threshold = best_f1(scores, labels > 0)
    assert best == pytest.approx(max(values))
    assert best == pytest.approx(peer_f1(labels > 0, scores >= threshold))
    assert threshold == max(value for value in scores if f1_score(scores, labels > 0, threshold=value) == max(values))


def test_nothing_found_is_an_f1_of_zero() -> None:
    assert f1_score(np.zeros(3), np.array([True, False, True]), threshold=1) == 0


def test_the_correlation_is_of_ranks_and_defined_for_constants() -> None:
    other = np.array([1.0, 3.0, 2.0, 2.0, 9.0, 4.0])
    assert rank_correlation(SCORES, np.exp(SCORES)) == pytest.approx(1)
    assert rank_correlation(SCORES, other) == pytest.approx(spearmanr(SCORES, other).statistic)
    assert (rank_correlation(SCORES, np.zeros(6)), rank_correlation(np.ones(6), np.zeros(6))) == (0, 1)


@pytest.mark.parametrize("seed", range(5))
def test_noise_in_the_last_digits_chooses_no_other_threshold(seed: int) -> None:
    random = np.random.default_rng(seed)
    noise = 1e-9 * random.normal(size=6)
    scores, positive = np.array([0.1, 0.4, 0.2, 0.3, 0.5, 0.6]), POSITIVE
    assert best_threshold(scores + noise, positive) == pytest.approx(best_threshold(scores, positive), abs=1e-8)
    assert best_f1(scores + noise, positive)[1] == pytest.approx(best_f1(scores, positive)[1], abs=1e-8)
