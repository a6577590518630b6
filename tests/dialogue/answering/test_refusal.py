import numpy as np
import pytest

from twinloop.dialogue.answering.answer import Citation
from twinloop.dialogue.answering.refusal import confidence, curve, fitted, threshold_for
from twinloop.dialogue.answering.selector import Candidate, Features
from twinloop.dialogue.answering.settings import RefusalSettings
from twinloop.errors import InputError


def test_a_threshold_refuses_the_share_that_was_asked_for() -> None:
    confidences = np.random.default_rng(0).normal(size=200)
    threshold = threshold_for(confidences, refused=0.1)
    assert np.mean(confidences < threshold) == 0.1
    with pytest.raises(InputError, match="got none"):
        threshold_for([], refused=0.1)


def test_the_curve_counts_what_each_threshold_refuses() -> None:
    points = curve([1, 2, 3, 4], [0, 1.5, 2.5, 9])
    assert [(p.threshold, p.recall, p.false) for p in points] == [
        (1, 0.25, 0),
        (2, 0.5, 0.25),
        (3, 0.75, 0.5),
        (4, 0.75, 0.75),
    ]


def best(words: float, meaning: float, passage: float) -> Candidate:
    features = Features(words, meaning, context=0.0, kind=0.0, passage=passage, asking=0.0)
    return Candidate("It is so.", Citation("d", "d.txt", 1, 0, 9), features, score=0.0)


def drawn(number: int, rise: float) -> list[Candidate]:
    """Best sentences of questions; whether one can be answered shows in the passage alone."""
    random = np.random.default_rng(number)
    return [best(*random.uniform(size=2), rise + 0.2 * random.normal()) for _ in range(number)]


def test_fitted_weights_are_those_of_what_tells_and_refuse_the_share_that_was_asked_for() -> None:
    answerable, unanswerable, settings = drawn(200, rise=0.6), drawn(101, rise=0.1), RefusalSettings(threshold=0.5)
    own = fitted(answerable, unanswerable, settings, refused=0.1, encoded=True)
    assert own.passage > 5 * max(abs(own.words), abs(own.meaning))
    refused, missed = (
        np.mean([confidence(one, own, encoded=True) < own.threshold for one in some])
        for some in (unanswerable, answerable)
    )
    assert own.threshold == 0.5
    assert missed == pytest.approx(0.1, abs=0.006)
    assert refused > 0.8


def test_weights_are_fitted_to_both_kinds_of_questions() -> None:
    with pytest.raises(InputError, match=r"got 3 and 0: ask some of both"):
        fitted(drawn(3, rise=1.0), [], RefusalSettings(), refused=0.1, encoded=True)
