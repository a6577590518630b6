"""Word error rate: the words that must be changed, left out or put in to make one text of another, per word spoken.

Both texts are normalised alike first. Several recordings are counted together, so that a long one weighs more.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jiwer

from twinloop.dialogue.speech.normaliser import normalised
from twinloop.errors import InputError


class WordErrors(NamedTuple):
    """Counts over one text or many. words: of what was spoken."""

    words: int
    substitutions: int
    deletions: int
    insertions: int

    @property
    def rate(self) -> float:
        """Errors per spoken word; it exceeds 1 where more was invented than said."""
        return (self.substitutions + self.deletions + self.insertions) / self.words


def word_errors(spoken: str, heard: str) -> WordErrors:
    """Errors of one text. Raises InputError where nothing was spoken.

    >>> word_errors("Ten of clubs.", "10 of club").rate
    0.3333333333333333
    """
    reference, hypothesis = normalised(spoken), normalised(heard)
    if not reference:
        raise InputError(f"word errors: expected a text with words to compare with, got {spoken[:40]!r}")
    if not hypothesis:
        words = len(reference.split())
        return WordErrors(words, 0, words, 0)
    counts = jiwer.process_words(reference, hypothesis)
    return WordErrors(len(reference.split()), counts.substitutions, counts.deletions, counts.insertions)


def total(errors: Sequence[WordErrors]) -> WordErrors:
    """Errors of all texts together. Raises InputError where there is none."""
    if not errors:
        raise InputError("word errors: expected at least one text, got none")
    return WordErrors(*(sum(counts) for counts in zip(*errors, strict=True)))
