"""When to say nothing: the confidence in the best sentence, and the threshold that it is held against.

The threshold is a quantile over questions that are known to be answerable, so that a given share of them is refused;
how many unanswerable ones are then refused is measured on others (risk and coverage: El-Yaniv and Wiener, 2010).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from twinloop.dialogue.answering.selector import Candidate
from twinloop.dialogue.answering.settings import RefusalSettings
from twinloop.errors import InputError

# Inverse strength of the penalty on fitted weights, and the largest that settings hold.
PENALTY = 1.0
MOST = 10.0


def confidence(best: Candidate, settings: RefusalSettings, *, encoded: bool) -> float:
    """How sure it is that a question's best sentence answers it; see `RefusalSettings`.

    encoded: whether the index has an encoder. Without one, words are all that is known of the meaning.
    """
    words, meaning, passage = _scores(best, encoded=encoded)
    return settings.offset + settings.words * words + settings.meaning * meaning + settings.passage * passage


def fitted(
    answerable: Sequence[Candidate],
    unanswerable: Sequence[Candidate],
    settings: RefusalSettings,
    *,
    refused: float,
    encoded: bool,
) -> RefusalSettings:
    """Weights fitted to one library by the best sentences of questions with and without an answer in it.

    Logistic regression with both kinds of equal weight; the offset is such that at the settings' threshold the given
    share of the answerable ones is refused. Raises InputError where either kind is missing.
    """
    from sklearn.linear_model import LogisticRegression

    if not answerable or not unanswerable:
        raise InputError(
            f"refusal: expected questions with and without an answer, got {len(answerable)} and {len(unanswerable)}: "
            "ask some of both"
        )
    scores = np.array([_scores(best, encoded=encoded) for best in (*answerable, *unanswerable)])
    known = np.arange(len(scores)) < len(answerable)
    model = LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=1000).fit(scores, known)
    weights = np.clip(model.coef_[0], -MOST, MOST)
    offset = settings.threshold - threshold_for((scores[known] @ weights).tolist(), refused=refused)
    if abs(offset) > MOST:
        weights, offset = weights * MOST / abs(offset), float(np.copysign(MOST, offset))
    words, meaning, passage = (float(weight) for weight in weights)
    return replace(settings, words=words, meaning=meaning, passage=passage, offset=float(offset))


def _scores(best: Candidate, *, encoded: bool) -> tuple[float, float, float]:
    """Words, meaning and passage of a sentence, as the confidence weighs them."""
    features = best.features
    return features.words, features.meaning if encoded else features.words, features.passage


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
