"""Questions with what is known of their answers, put to an index: one row per question, whatever it is asked in."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import polars as pl

from twinloop.dialogue.answering.answer import Answer, Citation
from twinloop.dialogue.evaluation.answers import hit, token_f1
from twinloop.dialogue.evaluation.ranking import ndcg, recall, reciprocal_rank
from twinloop.dialogue.knowledge.chunks import Chunk
from twinloop.dialogue.knowledge.index import Hit, Index

JUDGED: dict[str, Any] = {
    "question": pl.String,
    "group": pl.String,
    "answerable": pl.Boolean,
    "ndcg": pl.Float64,
    "recall": pl.Float64,
    "reciprocal_rank": pl.Float64,
    "hit": pl.Float64,
    "f1": pl.Float64,
    "refused": pl.Boolean,
    "confidence": pl.Float64,
}
# Results of a search that are judged.
DEPTH = 10


class Place(NamedTuple):
    """Characters start … end of a page of the document with this digest."""

    document: str
    page: int
    start: int
    end: int


class Asked(NamedTuple):
    """A question. answer is "" and evidence empty where none can be given; group: what is independent of others."""

    name: str
    text: str
    answer: str
    evidence: tuple[Place, ...]
    group: str


Answering = Callable[[str, Sequence[Hit]], Answer]


def judged(
    index: Index, answer: Answering, asked: Sequence[Asked], *, texts: Sequence[str] | None = None
) -> pl.DataFrame:
    """Search and answer every question; columns as in JUDGED, in the order of the questions.

    texts: what is asked instead of each question's own text, as it was recognised. Of questions without an answer
    ndcg, recall, reciprocal_rank, hit and f1 are null.
    """
    rows = [
        _row(index, answer, one, text) for one, text in zip(asked, texts or [one.text for one in asked], strict=True)
    ]
    return pl.DataFrame(rows, schema=JUDGED, orient="row")


def relevant(index: Index, evidence: Sequence[Place]) -> set[tuple[str, int]]:
    """Document and number of every chunk that holds a whole piece of evidence."""
    wanted = {place.document for place in evidence}
    chunks = (chunk for entry in index.entries if entry.digest in wanted for chunk in entry.chunks)
    return {(chunk.document, chunk.number) for chunk in chunks if any(_holds(chunk, place) for place in evidence)}


def stating(cited: Sequence[Citation], evidence: Sequence[Place]) -> list[bool]:
    """Which citations hold the most part of a piece of evidence, or lie within one."""
    return [any(_overlaps(one, place) for place in evidence) for one in cited]


def _overlaps(cited: Citation, place: Place) -> bool:
    shared = min(cited.end, place.end) - max(cited.start, place.start)
    here = (cited.document, cited.page) == (place.document, place.page)
    return here and 2 * shared > min(cited.end - cited.start, place.end - place.start)


def _holds(chunk: Chunk, place: Place) -> bool:
    here = (chunk.document, chunk.page) == (place.document, place.page)
    return here and chunk.start <= place.start and place.end <= chunk.end


def _row(index: Index, answer: Answering, one: Asked, text: str) -> tuple[Any, ...]:
    hits = index.search(text, DEPTH)
    given = answer(text, hits)
    named = (one.name, one.group, bool(one.evidence))
    if not one.evidence:
        return (*named, None, None, None, None, None, given.refused, given.confidence)
    right, ranked = relevant(index, one.evidence), [(found.chunk.document, found.chunk.number) for found in hits]
    said = "" if given.refused else given.text
    return (
        *named,
        ndcg(ranked, right, at=DEPTH),
        recall(ranked, right, at=DEPTH),
        reciprocal_rank(ranked, right),
        float(hit(said, one.answer)),
        token_f1(said, one.answer),
        given.refused,
        given.confidence,
    )
