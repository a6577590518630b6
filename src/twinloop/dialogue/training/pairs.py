"""Questions with the passages that answer them, real ones and sentences torn out of their passage, in batches."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.dialogue.knowledge.sentences import sentences

# A passage of fewer sentences would be nothing but the sentence that is torn out of it.
LEAST_SENTENCES = 3


class Pair(NamedTuple):
    """A question and the passage that answers it; two questions on one passage name the same text."""

    question: str
    passage: str


def cloze_pairs(passages: Sequence[str], count: int, *, seed: int) -> list[Pair]:
    """`count` sentences, each with the rest of its passage; fewer where no passage has three sentences."""
    rng = np.random.default_rng(seed)
    cut = [[text[start:end] for start, end in sentences(text)] for text in dict.fromkeys(passages)]
    usable = [parts for parts in cut if len(parts) >= LEAST_SENTENCES]
    pairs = []
    for _ in range(count if usable else 0):
        parts = usable[int(rng.integers(len(usable)))]
        torn = int(rng.integers(len(parts)))
        pairs.append(Pair(parts[torn], " ".join(parts[:torn] + parts[torn + 1 :])))
    return pairs


def epoch_batches(count: int, size: int, *, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
    """The rows of each batch of an epoch, drawn from seed and epoch alone; of at least two rows each."""
    order = np.random.default_rng([seed, epoch]).permutation(count)
    parts = max(count // size, 1)
    yield from np.array_split(order, parts)
