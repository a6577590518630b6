"""Which sentence of some passages answers a question: a weighted sum of few features that each have a reason.

Words count by their rarity (of a derived form, in part), among all chunks and among the sentences that are compared:
what the whole passage is about tells none of its sentences from the others. The sentence before lends its words, since
"it" often stands for what was asked about; and a sentence with something of the kind that is asked for is preferred.
Of papers that look alike, the right one says whose and of when it is, wherever in it: its words and names count too.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from twinloop.dialogue.answering import question as asked
from twinloop.dialogue.answering.answer import Citation
from twinloop.dialogue.answering.settings import SelectorSettings
from twinloop.dialogue.answering.untrusted import instructs
from twinloop.dialogue.knowledge.dense import encoded
from twinloop.dialogue.knowledge.index import Hit, Index
from twinloop.dialogue.knowledge.lexical import WORD, asking
from twinloop.dialogue.knowledge.pairs import rarity
from twinloop.dialogue.knowledge.sentences import sentences

# Words of which so many first letters agree are taken for forms of one; they count in part.
SAME_BEGINNING = 5
DERIVED = 0.6
MOST_KEPT = 20_000
# Sentences of a document by which a word tells none of them from the others.
SEVERAL = 2


class Features(NamedTuple):
    """What speaks for a sentence; see `SelectorSettings`."""

    words: float
    meaning: float
    context: float
    kind: float
    passage: float
    asking: float
    left: float
    document: float
    names: float


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

    weights: by rarity among all chunks; telling: by that among the compared sentences besides; known: of those terms
    alone that any document has. names: terms of its names and numbers; qualified: terms directly behind a word that no
    document has: where a document has such a term, it means another one of its kind ("the sailing course").
    """

    text: str
    weights: dict[str, float]
    telling: dict[str, float]
    known: dict[str, float]
    names: frozenset[str]
    qualified: tuple[str, ...]
    kind: str | None


class _Meant(NamedTuple):
    """Cosines of a sentence with the question, and with what is left of it."""

    whole: float
    left: float


class _Read(NamedTuple):
    """What is known of a text whatever is asked. beginnings: of its terms that are long enough to be derived."""

    terms: frozenset[str]
    beginnings: frozenset[str]
    instructs: bool = False

    @classmethod
    def of(cls, terms: Iterable[str], *, instructs: bool = False) -> "_Read":
        kept = frozenset(terms)
        long = (term[:SAME_BEGINNING] for term in kept if len(term) >= SAME_BEGINNING and term.isalpha())
        return cls(kept, frozenset(long), instructs)


class Selector:
    """Ranks the sentences of passages. What was read is kept: a person's documents are asked more than once."""

    def __init__(self, index: Index, settings: SelectorSettings | None = None) -> None:
        self._index, self._settings = index, settings or SelectorSettings()
        self._read: dict[str, _Read] = {}
        self._documents: dict[str, _Read] = {}

    def ranked(self, question: str, hits: Sequence[Hit]) -> tuple[list[Candidate], int]:
        """Sentences of the passages, the best first, and how many were left out since they instruct their reader."""
        if len(self._read) > MOST_KEPT:
            self._read.clear()
            self._documents.clear()
        found = _sentences(hits, self._settings.most_words)
        told = [sentence for sentence in found if not self._reading(sentence.text).instructs]
        asks = self._asks(question, told)
        candidates = [
            self._candidate(sentence, self._features(sentence, asks, meant))
            for sentence, meant in zip(told, self._meant(asks, told), strict=True)
        ]
        return sorted(candidates, key=lambda one: (-one.score, one.citation)), len(found) - len(told)

    def _reading(self, text: str) -> _Read:
        if text not in self._read:
            self._read[text] = _Read.of(self._index.terms(text), instructs=instructs(text))
        return self._read[text]

    def _document(self, digest: str) -> _Read:
        if digest not in self._documents:
            self._documents[digest] = _Read.of(self._index.terms_of(digest))
        return self._documents[digest]

    def _candidate(self, sentence: Sentence, features: Features) -> Candidate:
        settings = self._settings
        score = sum(getattr(settings, name) * value for name, value in features._asdict().items())
        return Candidate(sentence.text, sentence.citation, features, score)

    def _meant(self, asks: _Question, told: Sequence[Sentence]) -> list[_Meant]:
        """How near the question each sentence is in meaning; 0 without an encoder."""
        if self._index.encoder is None or not told:
            return [_Meant(0.0, 0.0)] * len(told)
        vectors = self._index.vectors([one.text for one in told])
        left = encoded(self._index.encoder, [self._left(asks, told)])[0]
        cosines = zip(vectors @ self._index.vector(asks.text), vectors @ left, strict=True)
        return [_Meant(*map(float, pair)) for pair in cosines]

    def _left(self, asks: _Question, told: Sequence[Sentence]) -> str:
        """What is asked of the likeliest document: the question without names and what several sentences there say."""

        def likely(digest: str) -> float:
            document = self._document(digest)
            return _share(asks.known, document) + _named(asks, document)

        likeliest = max(dict.fromkeys(one.citation.document for one in told), key=likely)
        there = [self._reading(one.text).terms for one in told if one.citation.document == likeliest]
        several = {term for term in asks.weights if sum(term in terms for terms in there) >= SEVERAL}
        known = several.union(asks.names)
        words = (word for word in WORD.findall(asks.text) if known.isdisjoint(self._index.terms(word)))
        return " ".join(words) or asks.text

    def _asks(self, question: str, told: Sequence[Sentence]) -> _Question:
        """The question's terms, each with its share of their whole rarity."""
        counted = asking(self._index.terms(question), self._index.settings.lexical.asking)
        weights = _shares({term: weight * self._index.rarity(term) for term, weight in counted.items()})
        words = [self._index.terms(word) for word in WORD.findall(question)]
        strange = [len(one) == 1 and not self._index.knows(one[0]) for one in words]
        return _Question(
            question,
            weights,
            _telling(weights, [self._reading(sentence.text) for sentence in told]),
            _shares({term: weight for term, weight in weights.items() if self._index.knows(term)}),
            frozenset(self._index.terms(" ".join(asked.names_in(question)))),
            tuple(term for before, behind in zip(strange, words[1:], strict=False) if before for term in behind),
            asked.kind_of(question),
        )

    def _features(self, sentence: Sentence, asks: _Question, meant: _Meant) -> Features:
        own, before = self._reading(sentence.text), self._reading(sentence.before)
        document = self._document(sentence.citation.document)
        return Features(
            words=_share(asks.telling, own),
            meaning=meant.whole,
            context=sum(weight * max(_held(term, own), _held(term, before)) for term, weight in asks.weights.items()),
            kind=float(asks.kind is not None and asked.holds(sentence.text, asks.kind, asks.text)),
            passage=sentence.passage,
            asking=float(sentence.text.rstrip("\"'”’)").endswith("?")),
            left=meant.left,
            document=_share(asks.known, document),
            names=_named(asks, document),
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


def _named(asks: _Question, document: _Read) -> float:
    """The share of what a question names that a document says; of one that names nothing, nothing is missing."""
    named = len(asks.names) + sum(term in document.terms for term in asks.qualified)
    return sum(_held(term, document) for term in asks.names) / named if named else 1.0


def _held(term: str, read: _Read) -> float:
    """1 for a term that a sentence says, in part where it says another form of it."""
    return 1.0 if term in read.terms else DERIVED if term[:SAME_BEGINNING] in read.beginnings else 0.0


def _shares(weights: dict[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {term: value / total for term, value in weights.items()} if total > 0 else {}
