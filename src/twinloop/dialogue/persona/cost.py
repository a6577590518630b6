"""What a persona costs: answers that hold the right one without it and no longer with it, question by question."""

import re
import string
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.numbers import Interval

Booleans = NDArray[np.bool_]
PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation + "“”‘’…–—", " "))


class HitLoss(NamedTuple):
    """Shares of questions: hit without and with persona, and the loss between them (the figure persona_hit_loss)."""

    plain: Interval
    persona: Interval
    loss: Interval


def hit(text: str, answer: str) -> bool:
    """Whether a text holds an answer, after SQuAD's normaliser: no case, punctuation, articles or extra blanks.

    >>> hit("It was “the Old Mill.” [1]", "Old mill")
    True
    """
    sought = _normal(answer)
    return bool(sought) and f" {sought} " in f" {_normal(text)} "


def persona_hit_loss(
    plain: Sequence[str],
    persona: Sequence[str],
    answers: Sequence[str],
    groups: Sequence[str],
    *,
    bootstrap: int = 1000,
    confidence: float = 0.95,
    seed: int,
) -> HitLoss:
    """Hits of the same questions without and with persona, paired; intervals by bootstrap over groups (documents).

    All arguments have one entry per question. Raises InputError for none, or for other numbers of them.
    """
    counts = [len(plain), len(persona), len(answers), len(groups)]
    if len(set(counts)) > 1 or not plain:
        raise InputError(f"persona: expected as many plain answers, worded ones, right ones and groups, found {counts}")
    hits = np.array(
        [[hit(text, answer) for text, answer in zip(texts, answers, strict=True)] for texts in (plain, persona)]
    )
    names, place = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    # Per group: hits without, hits with, questions.
    sums = np.stack([np.bincount(place, weights=row) for row in (*hits, np.ones(len(plain)))], axis=1)
    drawn = np.random.default_rng(seed).integers(0, len(names), (bootstrap, len(names)))
    totals = sums[drawn].sum(axis=1)
    shares = totals[:, :2] / totals[:, 2:]
    levels = [(1 - confidence) / 2, (1 + confidence) / 2]
    means = hits.mean(axis=1)
    without, worded = (Interval(float(means[k]), *map(float, np.quantile(shares[:, k], levels))) for k in (0, 1))
    loss = np.quantile(shares[:, 0] - shares[:, 1], levels)
    return HitLoss(without, worded, Interval(float(means[0] - means[1]), *map(float, loss)))


def _normal(text: str) -> str:
    words = text.lower().translate(PUNCTUATION).split()
    return " ".join(word for word in words if not re.fullmatch("a|an|the", word))
