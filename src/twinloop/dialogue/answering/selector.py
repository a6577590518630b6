"""Which sentence of some passages answers a question: a weighted sum of few features that each have a reason.

Words count by their rarity (of a derived form, in part), among all chunks and among the sentences that are compared:
what the whole passage is about tells none of its sentences from the others. The sentence before lends its words, since
"it" often stands for what was asked about; and a sentence with something of the kind that is asked for is preferred.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from twinloop.dialogue.answering import question as asked
from twinloop.dialogue.answering.answer import Citation
from twinloop.dialogue.answering.settings import SelectorSettings
from twinloop.dialogue.answering.untrusted import instructs
from twinloop.dialogue.knowledge.index import Hit, Index
from twinloop.dialogue.knowledge.lexical import asking
from twinloop.dialogue.knowledge.pairs import rarity
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
    """A question with the share of each of its terms, and the kind of thing it asks for.

    weights: by rarity among all chunks; telling: by that among the compared sentences besides.
    """

    text: str
    weights: dict[str, float]
    telling: dict[str, float]
    kind: str | None


class _Read(NamedTuple):
    """What is known of a sentence whatever is asked. beginnings: of its terms that are long enough to be derived."""

    terms: frozenset[str]
    beginnings: frozenset[str]
    instructs: bool


class Selector:
    """Ranks the sentences of passages. What was read is kept: a person's documents are asked more than once."""

    def __init__(self, index: Index, settings: SelectorSettings | None = None) -> None:
        self._index, self._settings = index, settings or SelectorSettings()
        self._read: dict[str, _Read] = {}

    def ranked(self, question: str, hits: Sequence[Hit]) -> tuple[list[Candidate], int]:
        """Sentences of the passages, the best first, and how many were left out since they instruct their reader."""
        if len(self._read) > MOST_KEPT:
            self._read.clear()
        found = _sentences(hits, self._settings.most_words)
        told = [sentence for sentence in found if not self._reading(sentence.text).instructs]
        weights = self._weights(question)
        telling = _telling(weights, [self._reading(sentence.text) for sentence in told])
        asks = _Question(question, weights, telling, asked.kind_of(question))
        cosines = self._cosines(question, [sentence.text for sentence in told])
        candidates = [
            self._candidate(sentence, self._features(sentence, asks, float(cosine)))
            for sentence, cosine in zip(told, cosines, strict=True)
        ]
        return sorted(candidates, key=lambda one: (-one.score, one.citation)), len(found) - len(told)

    def _reading(self, text: str) -> _Read:
        if text not in self._read:
            terms = frozenset(self._index.terms(text))
            beginnings = (term[:SAME_BEGINNING] for term in terms if len(term) >= SAME_BEGINNING and term.isalpha())
            self._read[text] = _Read(terms, frozenset(beginnings), instructs(text))
        return self._read[text]

    def _candidate(self, sentence: Sentence, features: Features) -> Candidate:
        settings = self._settings
        score = sum(getattr(settings, name) * value for name, value in features._asdict().items())
        return Candidate(sentence.text, sentence.citation, features, score)

    def _cosines(self, question: str, texts: list[str]) -> Vectors:
        if self._index.encoder is None or not texts:
            return np.zeros(len(texts), np.float32)
        cosines: Vectors = self._index.vectors(texts) @ self._index.vector(question)
        return cosines

    def _weights(self, question: str) -> dict[str, float]:
        """The question's terms, each with its share of their whole rarity."""
        counted = asking(self._index.terms(question), self._index.settings.lexical.asking)
        return _shares({term: weight * self._index.rarity(term) for term, weight in counted.items()})

    def _features(self, sentence: Sentence, asks: _Question, cosine: float) -> Features:
        own, before = self._reading(sentence.text), self._reading(sentence.before)
        return Features(
            words=_share(asks.telling, own),
            meaning=cosine,
            context=sum(weight * max(_held(term, own), _held(term, before)) for term, weight in asks.weights.items()),
            kind=float(asks.kind is not None and asked.holds(sentence.text, asks.kind, asks.text)),
            passage=sentence.passage,
            asking=float(sentence.text.rstrip("\"'”’)").endswith("?")),
        )


def _sentences(hits: Sequence[Hit], most_words: int) -> list[Sentence]:
    """Every sentence once, of the best passage it is in; a heading is none, and lends its words to the next."""
    found: dict[Citation, Sentence] = {}
    for hit in hits:
        before, chunk = "", hit.chunk
        for start, end in sentences(chunk.text, most_words=most_words):
            citation = Citation(chunk.document, hit.name, chunk.page, chunk.start + start, chunk.start + end)
            text = chunk.text[start:end]
            if chunk.states(citation.start, citation.end):
                found.setdefault(citation, Sentence(text, before, citation, hit.score))
            before = text
    return list(found.values())


def _telling(weights: dict[str, float], compared: Sequence[_Read]) -> dict[str, float]:
    """The terms' shares by their rarity among the compared sentences too; what none says counts as what one does."""
    holding = {term: max(sum(_held(term, read) > 0 for read in compared), 1) for term in weights}
    return _shares({term: weight * rarity(len(compared), holding[term]) for term, weight in weights.items()})


def _share(weights: dict[str, float], read: _Read) -> float:
    """The weight of what is said of the question's terms."""
    return sum(weight * _held(term, read) for term, weight in weights.items())


def _held(term: str, read: _Read) -> float:
    """1 for a term that a sentence says, in part where it says another form of it."""
    return 1.0 if term in read.terms else DERIVED if term[:SAME_BEGINNING] in read.beginnings else 0.0


def _shares(weights: dict[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {term: value / total for term, value in weights.items()} if total > 0 else {}
