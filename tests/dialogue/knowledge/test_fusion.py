import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.dialogue.knowledge.fusion import Layout, beside, best_of, highest, lent
from twinloop.dialogue.knowledge.settings import RetrievalSettings

LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=5)


def layout(lengths: list[int], *lending: bool) -> Layout:
    starts = np.cumsum([0, *lengths[:-1]])
    return Layout(starts, np.array(lending or [True] * len(lengths)), sum(lengths))


def drawn(size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=size).astype(np.float32)


@given(LENGTHS, st.integers(1, 4), st.integers(0, 10))
def test_neighbours_and_best_are_those_counted_one_by_one(lengths: list[int], number: int, seed: int) -> None:
    whole = layout(lengths)
    scores, documents = drawn(whole.size, seed), whole.documents
    for place, document in enumerate(documents):
        steps = {
            other: abs(other - place)
            for other in range(whole.size)
            if documents[other] == document and 0 < abs(other - place) <= number
        }
        weights = [0.5**step for step in steps.values()]
        expected = np.average(scores[list(steps)], weights=weights) if steps else scores[place]
        assert beside(scores, documents, reach=number, fading=0.5)[place] == pytest.approx(expected, abs=1e-6)
        best = np.sort(scores[documents == document])[::-1][:number].mean()
        assert best_of(scores, whole, best=number)[document] == pytest.approx(best, abs=1e-6)


def test_only_conversations_lend() -> None:
    whole = layout([2, 2], False, True)
    settings = RetrievalSettings(neighbours=1, documents=1, matter=2, reach=1, best=1)
    mixed = lent(np.array([1, 0, 0.9, 0.3], np.float32), np.array([7, 0.5], np.float32), whole, settings)
    np.testing.assert_allclose(mixed, [1, 0, (0.9 + 0.3 + 0.9 + 1) / 5, (0.3 + 0.9 + 0.9 + 1) / 5], rtol=1e-6)


@given(st.lists(st.integers(0, 4), max_size=30), st.integers(0, 40))
def test_highest_are_those_of_a_stable_sort(values: list[int], number: int) -> None:
    scores = np.array(values, np.float32)
    expected = np.argsort(-scores, kind="stable")[:number].tolist()
    assert highest(scores, number).tolist() == expected
