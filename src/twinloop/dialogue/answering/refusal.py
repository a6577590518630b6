"""When to say nothing: the confidence in the best sentence, and the threshold that it is held against.

What can be answered and what cannot are told apart by questions of both kinds; of any question with an answer two
without one are made, by taking away the document that answers it, or the sentence. The threshold is a quantile over
questions that are known to be answerable, so that a given share of them is refused; how many unanswerable ones are then
refused is measured on others (risk and coverage: El-Yaniv and Wiener, 2010).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from twinloop.dialogue.answering.selector import Candidate
from twinloop.dialogue.answering.settings import MOST_WEIGHT, RefusalSettings
from twinloop.errors import InputError

# Inverse strength of the penalty on fitted weights.
PENALTY = 1.0
FITTED = ("passage", "document", "names")


class Signs(NamedTuple):
    """What speaks for a question's best sentence; see `RefusalSettings`."""

    words: float
    meaning: float
    passage: float
    document: float
    names: float

    @classmethod
    def of(cls, best: Candidate, *, encoded: bool) -> "Signs":
        """encoded: whether the index has an encoder. Without one, words are all that is known of the meaning."""
        own = best.features
        return cls(own.words, own.meaning if encoded else own.words, own.passage, own.document, own.names)


def confidence(best: Candidate, settings: RefusalSettings, *, encoded: bool) -> float:
    """How sure it is that a question's best sentence answers it; see `RefusalSettings`."""
    signs = Signs.of(best, encoded=encoded)._asdict()
    weighted: float = sum(getattr(settings, name) * value for name, value in signs.items())
    return settings.offset + weighted


def fitted(answerable: Sequence[Signs], unanswerable: Sequence[Signs], settings: RefusalSettings) -> RefusalSettings:
    """Weights fitted to one library by the best sentences of questions with and without an answer in it.

    Logistic regression with both kinds of equal weight, of what is found and not of how it is worded: how many of a
    question's own words a sentence has changes with whoever asks. At the threshold 0 either kind is as likely. Raises
    InputError where one is missing.
    """
    from sklearn.linear_model import LogisticRegression

    if not answerable or not unanswerable:
        raise InputError(
            f"refusal: expected questions with and without an answer, got {len(answerable)} and {len(unanswerable)}: "
            "ask some of both"
        )
    signs = np.array([[getattr(one, name) for name in FITTED] for one in (*answerable, *unanswerable)], np.float64)
    known = np.arange(len(signs)) < len(answerable)
    model = LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=1000).fit(signs, known)
    *weights, offset = (float(weight) for weight in (*model.coef_[0], *model.intercept_))
    # What is too large is made smaller as a whole: on which side of the threshold a question falls stays.
    shrunk = MOST_WEIGHT / max(MOST_WEIGHT, *map(abs, (*weights, offset)))
    named = {name: shrunk * weight for name, weight in zip(FITTED, weights, strict=True)}
    return replace(settings, words=0.0, meaning=0.0, **named, offset=shrunk * offset, threshold=0.0)


class Refusals(NamedTuple):
    """Shares that are refused at a threshold: of questions without and with an answer."""

    threshold: float
    recall: float
    false: float


def threshold_for(answerable: Sequence[float], *, refused: float) -> float:
    """The threshold at which the given share of answerable questions (their confidences) is refused at most."""
    if not len(answerable):
        raise InputError("refusal: expected confidences of answerable questions, got none: ask some first")
    ordered = np.sort(np.asarray(answerable, np.float64))
    return float(ordered[int(refused * len(ordered))]) if refused < 1 else float("inf")


def curve(answerable: Sequence[float], unanswerable: Sequence[float]) -> list[Refusals]:
    """What each threshold refuses, from the lowest on: one per confidence of an answerable question."""
    given, lacking = np.sort(answerable), np.sort(unanswerable)
    return [
        Refusals(
            float(threshold),
            float(np.searchsorted(lacking, threshold) / max(len(lacking), 1)),
            float(np.searchsorted(given, threshold) / len(given)),
        )
        for threshold in given
    ]
