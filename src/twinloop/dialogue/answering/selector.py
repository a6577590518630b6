"""Which sentence of some passages answers a question: a weighted sum of few features that each have a reason.

Words count by their rarity (of a derived form, in part); the sentence before lends its words, since "it" often stands
for what was asked about; and a sentence with something of the kind that is asked for is preferred.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from twinloop.dialogue.answering import question as asked
from twinloop.dialogue.answering.answer import Citation
from twinloop.dialogue.answering.settings import SelectorSettings
from twinloop.dialogue.answering.untrusted import instructs
from twinloop.dialogue.knowledge.dense import encoded
from twinloop.dialogue.knowledge.index import Hit, Index
from twinloop.dialogue.knowledge.sentences import sentences
from twinloop.dialogue.providers.protocols import Vectors

# Words of which so many first letters agree are taken for forms of one; they count in part.
SAME_BEGINNING = 5
DERIVED = 0.6
MOST_KEPT = 20_000


class Features(NamedTuple):
    """What speaks for a sentence; see `SelectorSettings`."""

    words: float
    meaning: float
    context: float
    kind: float
    passage: float
    asking: float


class Candidate(NamedTuple):
    """A sentence that may answer. score: the weighted sum of its features."""

    text: str
    citation: Citation
    features: Features
    score: float


class Sentence(NamedTuple):
    """A sentence of a chunk and the one before it there, empty for the first."""

    text: str
    before: str
    citation: Citation
    passage: float


class _Question(NamedTuple):
    """A question with the share of each of its terms, and the kind of thing it asks for."""

    text: str
    weights: dict[str, float]
    kind: str | None


class _Read(NamedTuple):
    """What is known of a sentence whatever is asked."""

    terms: frozenset[str]
    instructs: bool


class Selector:
    """Ranks the sentences of passages. What was read is kept: a person's documents are asked more than once."""

    def __init__(self, index: Index, settings: SelectorSettings | None = None) -> None:
        self._index, self._settings = index, settings or SelectorSettings()
        self._read: dict[str, _Read] = {}
        self._vectors: dict[str, Vectors] = {}

    def ranked(self, question: str, hits: Sequence[Hit]) -> tuple[list[Candidate], int]:
        """Sentences of the passages, the best first, and how many were left out since they instruct their reader."""
        if len(self._read) > MOST_KEPT:
            self._read.clear()
            self._vectors.clear()
        found = _sentences(hits, self._settings.most_words)
        told = [sentence for sentence in found if not self._reading(sentence.text).instructs]
        asks = _Question(question, self._weights(question), asked.kind_of(question))
        cosines = self._cosines(question, [sentence.text for sentence in told])
        candidates = [
            self._candidate(sentence, self._features(sentence, asks, float(cosine)))
            for sentence, cosine in zip(told, cosines, strict=True)
        ]
        return sorted(candidates, key=lambda one: (-one.score, one.citation)), len(found) - len(told)

    def _reading(self, text: str) -> _Read:
        if text not in self._read:
            self._read[text] = _Read(frozenset(self._index.terms(text)), instructs(text))
        return self._read[text]

    def _candidate(self, sentence: Sentence, features: Features) -> Candidate:
        settings = self._settings
        score = sum(getattr(settings, name) * value for name, value in features._asdict().items())
        return Candidate(sentence.text, sentence.citation, features, score)

    def _cosines(self, question: str, texts: list[str]) -> Vectors:
        if self._index.encoder is None or not texts:
            return np.zeros(len(texts), np.float32)
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        self._vectors |= dict(zip(new, encoded(self._index.encoder, new), strict=True))
        cosines: Vectors = np.stack([self._vectors[text] for text in texts]) @ self._index.vector(question)
        return cosines

    def _weights(self, question: str) -> dict[str, float]:
        """The question's terms, each with its share of their whole rarity."""
        rarities = {term: self._index.rarity(term) for term in self._index.terms(question)}
        total = sum(rarities.values())
        return {term: value / total for term, value in rarities.items()} if total > 0 else {}

    def _features(self, sentence: Sentence, asks: _Question, cosine: float) -> Features:
        own, before = self._reading(sentence.text).terms, self._reading(sentence.before).terms
        return Features(
            words=_share(asks.weights, own),
            meaning=cosine,
            context=_share(asks.weights, own | before),
            kind=float(asks.kind is not None and asked.holds(sentence.text, asks.kind, asks.text)),
            passage=sentence.passage,
            asking=float(sentence.text.rstrip("\"'”’)").endswith("?")),
        )


def _sentences(hits: Sequence[Hit], most_words: int) -> list[Sentence]:
    """Every sentence once, of the best passage it is in."""
    found: dict[Citation, Sentence] = {}
    for hit in hits:
        before, chunk = "", hit.chunk
        for start, end in sentences(chunk.text, most_words=most_words):
            citation = Citation(chunk.document, hit.name, chunk.page, chunk.start + start, chunk.start + end)
            text = chunk.text[start:end]
            found.setdefault(citation, Sentence(text, before, citation, hit.score))
            before = text
    return list(found.values())


def _share(weights: dict[str, float], said: frozenset[str]) -> float:
    """The weight of what is said of the question's terms."""
    beginnings = {term[:SAME_BEGINNING] for term in said if len(term) >= SAME_BEGINNING and term.isalpha()}
    return sum(
        weight if term in said else DERIVED * weight if term[:SAME_BEGINNING] in beginnings else 0.0
        for term, weight in weights.items()
    )
