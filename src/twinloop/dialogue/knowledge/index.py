"""An index of documents that questions are put to: by words, by meaning, or by both.

What is kept per document is independent of all others; what depends on all (rarity of words, one matrix) is made from
that when a question comes, in the order of the digests. So an index answers as a fresh one after any sequence of adding
and deleting, exactly.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinloop.dialogue.knowledge.chunks import Chunk, chunks_of, pieces
from twinloop.dialogue.knowledge.dense import Dense, encoded
from twinloop.dialogue.knowledge.fusion import Layout, Scores, highest, lent, weighted
from twinloop.dialogue.knowledge.lexical import Lexical, terms
from twinloop.dialogue.knowledge.readers.document import CONVERSATION, Document
from twinloop.dialogue.knowledge.settings import IndexSettings
from twinloop.dialogue.knowledge.spelling import Spelling
from twinloop.dialogue.providers.protocols import Encoder, Vectors
from twinloop.errors import InputError

# Texts that get their vectors before it is told how many have them.
ENCODED_AT_ONCE = 64
# Sentences whose vectors are kept.
MOST_KEPT = 20_000


class Hit(NamedTuple):
    """A chunk that was found. score: by which it ranks; lexical and dense: what its own words and meaning earned.

    name: of its document; dense is 0 in an index without an encoder.
    """

    chunk: Chunk
    name: str
    score: float
    lexical: float
    dense: float


@dataclass(frozen=True)
class Entry:
    """What an index keeps of one document: its chunks and their terms.

    pieces: [chunks] how many vectors each chunk has; vectors: of all of them, in order (shape: pieces, dimensions).
    """

    name: str
    kind: str
    pages: int
    chunks: tuple[Chunk, ...]
    terms: tuple[tuple[str, ...], ...]
    pieces: NDArray[np.int64]
    vectors: Vectors

    @property
    def digest(self) -> str:
        """Of its document."""
        return self.chunks[0].document


class _Whole(NamedTuple):
    """All entries as one: what a question meets. matter: words of whole documents, where any lends to its chunks."""

    entries: tuple[Entry, ...]
    layout: Layout
    lexical: Lexical
    matter: Lexical | None
    dense: Dense

    def found(self, place: int) -> tuple[Entry, Chunk]:
        document = int(np.searchsorted(self.layout.starts, place, side="right")) - 1
        entry = self.entries[document]
        return entry, entry.chunks[place - int(self.layout.starts[document])]


class Index:
    """Documents in chunks, found by their words and, with an encoder, by their meaning."""

    def __init__(self, encoder: Encoder | None = None, settings: IndexSettings | None = None) -> None:
        self.encoder, self.settings = encoder, settings or IndexSettings()
        self._entries: dict[str, Entry] = {}
        self._whole: _Whole | None = None
        self._spelling: Spelling | None = None
        self._asked: tuple[str, Vectors] | None = None
        self._sentences: dict[str, Vectors] = {}

    def __len__(self) -> int:
        """Chunks of all documents."""
        return sum(len(entry.chunks) for entry in self._entries.values())

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Of all documents, in the order of their digests."""
        return tuple(self._entries[digest] for digest in sorted(self._entries))

    def add(self, document: Document, *, watch: Callable[[str], None] | None = None) -> bool:
        """Take in a document; False where one of the same content is there already, whatever its name.

        watch: is told how far the vectors of a long document are, in words.
        """
        if document.digest in self._entries:
            return False
        chunks = chunks_of(document, self.settings.chunks)
        if not chunks:
            raise InputError(f"{document.name}: no text in it: leave it out")
        texts = [pieces(chunk, self.settings.chunks) for chunk in chunks]
        vectors = self._vectors(document.name, [text for of_chunk in texts for text in of_chunk], watch)
        self.put(
            Entry(
                document.name,
                document.kind,
                len(document.pages),
                chunks,
                tuple(tuple(self.terms(chunk.text)) for chunk in chunks),
                np.array([len(of_chunk) for of_chunk in texts]),
                vectors,
            )
        )
        return True

    def put(self, entry: Entry) -> None:
        """Take in what another index of the same encoder and settings kept of a document."""
        self._entries[entry.digest] = entry
        self._whole = self._spelling = None

    def delete(self, digest: str) -> None:
        """Forget a document. Raises InputError where none has this digest."""
        if digest not in self._entries:
            raise InputError(f"index: no document {digest[:12]!r}: list the documents to see what is there")
        del self._entries[digest]
        self._whole = self._spelling = None

    def search(self, question: str, number: int = 10, *, within: Iterable[str] | None = None) -> tuple[Hit, ...]:
        """The chunks that answer a question best, the best first; fewer where there are fewer.

        within: digests of the documents to look in; what they are ranked by stays that of all.
        """
        if not self._entries:
            return ()
        whole = self._built()
        lexical = whole.lexical.scores(question)
        dense = self._meaning(question, whole)
        scores = self._scores(question, lexical, dense, whole)
        if within is not None:
            wanted = np.isin([entry.digest for entry in whole.entries], list(within))[whole.layout.documents]
            scores, number = np.where(wanted, scores, -np.inf), min(number, int(wanted.sum()))
        return tuple(
            Hit(chunk, entry.name, float(scores[place]), float(lexical[place]), float(dense[place]))
            for place in highest(scores, number)
            for entry, chunk in [whole.found(int(place))]
        )

    def search_together(self, questions: Sequence[str], number: int = 10) -> tuple[tuple[Hit, ...], ...]:
        """What `search` finds for each of several questions, whose vectors are made at once where the encoder can."""
        if self.encoder is None:
            return tuple(self.search(question, number) for question in questions)
        found = []
        for question, vector in zip(questions, encoded(self.encoder, list(questions), together=True), strict=True):
            self._asked = question, vector
            found.append(self.search(question, number))
        return tuple(found)

    def vector(self, question: str) -> Vectors:
        """The unit vector of a question [dimensions]; the last one is kept, as finding and choosing both want it."""
        if self.encoder is None:
            return np.zeros(0, np.float32)
        # By a name of its own: another thread may ask something else in between.
        asked = self._asked
        if asked is None or asked[0] != question:
            asked = self._asked = question, encoded(self.encoder, [question])[0]
        return asked[1]

    def spelt(self, heard: str) -> str:
        """A question that was heard, with names as the documents spell them; see `spelling`."""
        spelling = self._spelling
        if spelling is None:
            texts = (chunk.text for entry in self.entries for chunk in entry.chunks)
            spelling = self._spelling = Spelling(texts)
        return spelling.spelt(heard)

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """[texts, dimensions] of sentences that are compared with questions; kept, 0 without an encoder."""
        if self.encoder is None or not texts:
            return np.zeros((len(texts), 0), np.float32)
        # By a name of its own: another thread may begin anew in between.
        kept = self._sentences
        if len(kept) > MOST_KEPT:
            kept = self._sentences = {}
        new = [text for text in dict.fromkeys(texts) if text not in kept]
        kept |= zip(new, encoded(self.encoder, new), strict=True)
        return np.stack([kept[text] for text in texts])

    def terms(self, text: str) -> list[str]:
        """What of a text is counted in this index."""
        return terms(text, stems=self.settings.lexical.stems)

    def terms_of(self, digest: str) -> Iterator[str]:
        """What is counted of a whole document, in order; nothing of one that is not here."""
        entry = self._entries.get(digest)
        return (term for of_chunk in (entry.terms if entry else ()) for term in of_chunk)

    def knows(self, term: str) -> bool:
        """Whether any document has this term."""
        return bool(self._entries) and self._built().lexical.knows(term)

    def rarity(self, term: str) -> float:
        """How much a term tells, as `Lexical.rarity`; 0 in an empty index."""
        return self._built().lexical.rarity(term) if self._entries else 0.0

    def _vectors(self, name: str, texts: list[str], watch: Callable[[str], None] | None) -> Vectors:
        """[texts, dimensions] of a document's pieces; 0 without an encoder."""
        if self.encoder is None:
            return np.zeros((len(texts), 0), np.float32)
        vectors = []
        for start in range(0, len(texts), ENCODED_AT_ONCE):
            if watch is not None and start:
                watch(f"{name}: {start} of {len(texts)} passages")
            vectors.append(encoded(self.encoder, texts[start : start + ENCODED_AT_ONCE]))
        return np.concatenate(vectors)

    def _meaning(self, question: str, whole: _Whole) -> Scores:
        if self.encoder is None:
            return np.zeros(whole.layout.size, np.float32)
        return whole.dense.scores(self.vector(question), whole=self.settings.retrieval.whole)

    def _scores(self, question: str, lexical: Scores, dense: Scores, whole: _Whole) -> Scores:
        retrieval = self.settings.retrieval
        own = lexical if self.encoder is None else weighted(lexical, dense, weight=retrieval.lexical)
        if whole.matter is None:
            return own
        return lent(own, whole.matter.scores(question), whole.layout, retrieval)

    def _built(self) -> _Whole:
        built = self._whole
        if built is None:
            entries = self.entries
            lengths = [len(entry.chunks) for entry in entries]
            starts = np.cumsum([0, *lengths[:-1]])
            lending = np.array([entry.kind == CONVERSATION for entry in entries])
            matter = [[term for words in entry.terms for term in words] for entry in entries] if lending.any() else []
            built = self._whole = _Whole(
                entries,
                Layout(starts, lending, sum(lengths)),
                Lexical([words for entry in entries for words in entry.terms], self.settings.lexical),
                Lexical(matter, self.settings.lexical) if matter else None,
                Dense(
                    np.concatenate([entry.vectors for entry in entries]),
                    np.concatenate([entry.pieces for entry in entries]),
                ),
            )
        return built
