"""One score of a chunk from two: its words' and its meaning's; and what chunks of a conversation lend each other.

A turn rarely repeats what it answers: the question stands a few turns before. So a chunk of a conversation borrows from
its neighbours, from the best chunks of its conversation and from its words as a whole (of the document it lies in:
Callan, 1994); the sum of the weights divides the whole, so that chunks with and without neighbours compare.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.dialogue.knowledge.settings import RetrievalSettings

Scores = NDArray[np.float32]
# Above the weight of no neighbour, below that of any.
FAINTEST = np.float32(1e-30)


class Layout(NamedTuple):
    """Which chunks follow each other. starts: [documents] place of each document's first chunk, ascending from 0.

    lending: [documents] whether it is a conversation; size: chunks of all documents, each of which has some.
    """

    starts: NDArray[np.int64]
    lending: NDArray[np.bool_]
    size: int

    @property
    def lengths(self) -> NDArray[np.int64]:
        """[documents] how many chunks each has."""
        lengths: NDArray[np.int64] = np.diff(self.starts, append=self.size)
        return lengths

    @property
    def documents(self) -> NDArray[np.int64]:
        """[chunks] which document each belongs to."""
        documents: NDArray[np.int64] = np.repeat(np.arange(len(self.starts)), self.lengths)
        return documents


def weighted(lexical: Scores, dense: Scores, *, weight: float) -> Scores:
    """[chunks] the mean of both with `weight` on the words."""
    fused: Scores = np.float32(weight) * lexical + np.float32(1 - weight) * dense
    return fused


def lent(scores: Scores, matter: Scores, layout: Layout, settings: RetrievalSettings) -> Scores:
    """[chunks] scores with what neighbours and documents lend; chunks of documents that do not lend keep theirs.

    matter: [documents] what the words of each as one text earn.
    """
    documents = layout.documents
    borrowed = settings.neighbours * beside(scores, documents, reach=settings.reach, fading=settings.fading)
    borrowed += settings.documents * best_of(scores, layout, best=settings.best)[documents]
    borrowed += settings.matter * matter[documents]
    mixed = (scores + borrowed) / (1 + settings.neighbours + settings.documents + settings.matter)
    return np.where(layout.lending[documents], mixed, scores).astype(np.float32)


def beside(scores: Scores, documents: NDArray[np.int64], *, reach: int, fading: float) -> Scores:
    """[chunks] mean score of the chunks of the same document at most `reach` away; a lone chunk's is its own.

    fading: what a chunk one step farther away weighs.

    >>> beside(np.float32([1, 2, 6]), np.array([0, 0, 0]), reach=1, fading=1).tolist()
    [2.0, 3.5, 2.0]
    """
    total, weight = np.zeros_like(scores), np.zeros_like(scores)
    for step in range(1, min(reach, len(scores) - 1) + 1):
        same = np.float32(fading ** (step - 1)) * (documents[step:] == documents[:-step])
        total[step:] += same * scores[:-step]
        total[:-step] += same * scores[step:]
        weight[step:] += same
        weight[:-step] += same
    return np.where(weight > 0, total / np.maximum(weight, FAINTEST), scores)


def best_of(scores: Scores, layout: Layout, *, best: int) -> Scores:
    """[documents] mean of the best scores of each document, of all where it has fewer."""
    documents, rest = layout.documents, scores.astype(np.float32, copy=True)
    totals = np.zeros(len(layout.starts), np.float32)
    for _ in range(min(best, int(layout.lengths.max()))):
        peaks = np.maximum.reduceat(rest, layout.starts)
        totals += np.where(np.isfinite(peaks), peaks, 0)
        places = np.flatnonzero(rest == peaks[documents])
        rest[places[np.unique(documents[places], return_index=True)[1]]] = -np.inf
    return (totals / np.minimum(layout.lengths, best)).astype(np.float32)


def highest(scores: Scores, number: int) -> NDArray[np.int64]:
    """Places of the highest scores, the highest first; of equal ones that which comes first.

    >>> highest(np.float32([1, 3, 2, 3]), 3).tolist()
    [1, 3, 2]
    """
    if 0 < number < len(scores):
        least = np.partition(scores, len(scores) - number)[len(scores) - number]
        places = np.flatnonzero(scores >= least)
    else:
        places = np.arange(len(scores))
    order: NDArray[np.int64] = places[np.argsort(-scores[places], kind="stable")][:number]
    return order
