"""Finding by neighbouring words: BM25 over pairs of terms that stand side by side, in the order of the question.

No pair is stored: where a term stands is known, and what follows it is looked up, so that an index of pairs costs no
more than one of terms.
"""

import math
from collections.abc import Sequence
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from twinloop.dialogue.knowledge.settings import LexicalSettings

Scores = NDArray[np.float32]


class Pairs:
    """Where every term of some texts stands. ids: the terms of each text as numbers below `vocabulary`."""

    def __init__(self, ids: Sequence[Sequence[int]], vocabulary: int, settings: LexicalSettings) -> None:
        lengths = np.fromiter((len(text) for text in ids), np.int64, len(ids))
        self._terms = np.fromiter(chain.from_iterable(ids), np.int32, int(lengths.sum()))
        self._texts = np.repeat(np.arange(len(ids), dtype=np.int32), lengths)
        self._places = np.argsort(self._terms, kind="stable").astype(np.int32)
        self._starts = np.cumsum([0, *np.bincount(self._terms, minlength=vocabulary)])
        mean = max(float(lengths.mean()), 1.0) if len(ids) else 1.0
        self._damping = settings.k1 * (1 - settings.b + settings.b * lengths / mean)

    def scores(self, asked: Sequence[int]) -> Scores | None:
        """[texts] from 0 to below 1: of the neighbouring terms of a question, -1 where a term is in no text.

        None where the question has no two different terms side by side.
        """
        sides = list(dict.fromkeys((one, other) for one, other in pairwise(asked) if one != other or one < 0))
        if not sides:
            return None
        size, most = len(self._damping), 0.0
        earned = np.zeros(size)
        for one, other in sides:
            texts, counts = _counted(self._texts[self._together(one, other)])
            weight = rarity(size, len(texts))
            earned[texts] += weight * counts / (counts + self._damping[texts])
            most += weight
        return (earned / most).astype(np.float32)

    def _together(self, one: int, other: int) -> NDArray[np.int32]:
        """Places of `one` that `other` follows in the same text, found from the rarer of both."""
        if min(one, other) < 0:
            return np.zeros(0, np.int32)
        first, second = self._of(one), self._of(other)
        if len(first) <= len(second):
            places = first[np.take(self._terms, first + 1, mode="clip") == other]
            places = places[places + 1 < len(self._terms)]
        else:
            places = second[np.take(self._terms, second - 1, mode="clip") == one] - 1
            places = places[places >= 0]
        same: NDArray[np.int32] = places[self._texts[places] == self._texts[places + 1]]
        return same

    def _of(self, term: int) -> NDArray[np.int32]:
        return self._places[self._starts[term] : self._starts[term + 1]]


def _counted(texts: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Each of some numbers in ascending order, and how often it is there."""
    firsts = np.flatnonzero(np.diff(texts, prepend=-1))
    return texts[firsts], np.diff(firsts, append=len(texts))


def rarity(size: int, containing: int) -> float:
    """Inverse document frequency among `size` texts of what so many contain, as Lucene has it."""
    return math.log(1 + (size - containing + 0.5) / (containing + 0.5))
