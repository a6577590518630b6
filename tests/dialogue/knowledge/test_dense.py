import numpy as np
import pytest

from twinloop.dialogue.knowledge.dense import Dense


def test_a_chunk_scores_by_its_best_piece_and_by_all_of_them() -> None:
    dense = Dense(np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32), np.array([2, 1]))
    question = np.array([1, 0], np.float32)
    assert dense.scores(question, whole=0).tolist() == pytest.approx([1, 0.6])
    assert dense.scores(question, whole=1).tolist() == pytest.approx([0.5**0.5, 0.6])
    assert dense.scores(question, whole=0.4).tolist() == pytest.approx([0.4 * 0.5**0.5 + 0.6, 0.6])
