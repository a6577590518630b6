import numpy as np
import pytest

from twinloop.dialogue.answering.answer import Citation
from twinloop.dialogue.answering.refusal import Signs, confidence, curve, fitted, threshold_for
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


def best(**features: float) -> Candidate:
    own = Features(**(dict.fromkeys(Features._fields, 0.0) | features))
    return Candidate("It is so.", Citation("d", "d.txt", 1, 0, 9), own, score=0.0)


def drawn(number: int, rise: float) -> list[Candidate]:
    """Best sentences of questions; whether one can be answered shows in the passage alone."""
    random = np.random.default_rng(number)
    passages = rise + 0.2 * random.normal(size=number)
    return [best(words=random.uniform(), names=random.uniform(), passage=passage) for passage in passages]


def signs(found: list[Candidate]) -> list[Signs]:
    return [Signs.of(one, encoded=True) for one in found]


def test_fitted_weights_are_those_of_what_tells() -> None:
    answerable, unanswerable = drawn(200, rise=0.6), drawn(101, rise=0.1)
    own = fitted(signs(answerable), signs(unanswerable), RefusalSettings(threshold=0.5))
    assert own.passage > 5 * max(abs(own.document), abs(own.names))
    assert own.words == own.meaning == 0
    refused, missed = (
        np.mean([confidence(one, own, encoded=True) < own.threshold for one in some])
        for some in (unanswerable, answerable)
    )
    # Two normal distributions 2.5 standard deviations apart: halfway, 10.6 % of either lie on the wrong side.
    assert missed == pytest.approx(0.106, abs=0.05)
    assert refused == pytest.approx(0.894, abs=0.05)


def test_weights_beyond_what_settings_hold_are_shrunk_together() -> None:
    # Names alone decide, without a doubt: only the penalty keeps the weight finite.
    sure, unsure = ([best(names=share)] * 50_000 for share in (1.0, 0.9))
    own = fitted(signs(sure), signs(unsure), RefusalSettings())
    assert max(abs(own.names), abs(own.offset)) == pytest.approx(10)
    assert confidence(sure[0], own, encoded=True) > 0 > confidence(unsure[0], own, encoded=True)


def test_weights_are_fitted_to_both_kinds_of_questions() -> None:
    with pytest.raises(InputError, match=r"got 3 and 0: ask some of both"):
        fitted(signs(drawn(3, rise=1.0)), [], RefusalSettings())
