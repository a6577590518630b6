"""Figures of a ranking, held against scikit-learn's and against values that can be worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from twinloop.dialogue.evaluation.ranking import ndcg, recall, reciprocal_rank


def test_ndcg_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        scores, relevance = rng.random(30), (rng.random(30) < 0.2).astype(float)
        if not relevance.any():
            continue
        ranked = np.argsort(-scores).tolist()
        own = ndcg(ranked, set(np.flatnonzero(relevance).tolist()), at=10)
        assert own == pytest.approx(ndcg_score([relevance], [scores], k=10))


def test_one_of_two_relevant_in_third_place_by_hand() -> None:
    # DCG 1 / log2(4), ideal 1 + 1 / log2(3).
    assert ndcg(["x", "y", "a"], {"a", "b"}) == pytest.approx(0.5 / (1 + 1 / np.log2(3)))
    assert recall(["x", "y", "a"], {"a", "b"}) == 0.5
    assert reciprocal_rank(["x", "y", "a"], {"a", "b"}) == pytest.approx(1 / 3)


@pytest.mark.parametrize("figure", [ndcg, recall, reciprocal_rank])
def test_nothing_relevant_is_nothing_found(figure) -> None:
    assert figure(["x"], set()) == 0.0
    assert figure([], {"a"}) == 0.0
