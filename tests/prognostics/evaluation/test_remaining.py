import numpy as np
import pytest

from twinloop.prognostics.evaluation.remaining import nasa_score, quality


def test_the_score_punishes_late_predictions_more_by_hand() -> None:
    actual = np.array([50.0, 50.0, 50.0])
    assert nasa_score(actual, np.array([50.0, 37.0, 60.0])) == pytest.approx(2 * (np.e - 1))
    assert nasa_score(actual[:1], np.array([60.0])) > nasa_score(actual[:1], np.array([40.0]))


def test_all_figures_of_two_predictions() -> None:
    actual, predicted = np.array([10.0, 20.0]), np.array([13.0, 16.0])
    found = quality(actual, predicted, (predicted - 3.5, predicted + 3.5))
    assert found.rmse == pytest.approx(np.sqrt(12.5))
    assert found.score == pytest.approx(np.exp(0.3) + np.exp(4 / 13) - 2)
    assert found.coverage == 0.5
