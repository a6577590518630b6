"""When to say nothing: the confidence in the best sentence, and the threshold that it is held against.

The threshold is a quantile over questions that are known to be answerable, so that a given share of them is refused;
how many unanswerable ones are then refused is measured on others (risk and coverage: El-Yaniv and Wiener, 2010).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from twinloop.dialogue.answering.selector import Candidate
from twinloop.dialogue.answering.settings import RefusalSettings
from twinloop.errors import InputError


def confidence(best: Candidate, settings: RefusalSettings, *, encoded: bool) -> float:
    """How sure it is that a question's best sentence answers it; see `RefusalSettings`.

    encoded: whether the index has an encoder. Without one, words are all that is known of the meaning.
    """
    words, meaning = best.features.words, best.features.meaning if encoded else best.features.words
    return settings.offset + settings.words * words + settings.meaning * meaning


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
