"""A corpus as what is asked: its documents and meetings as they are read, its questions with where each is answered.

Evidence of a corpus counts characters of a page's text with single blanks, an index those of the page as it was read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from twinloop.dialogue.datasets.corpus import Corpus
from twinloop.dialogue.datasets.passages import locate, original_range, squeezed
from twinloop.dialogue.evaluation.questions import Asked, Place
from twinloop.dialogue.knowledge.readers.document import Document, conversation
from twinloop.dialogue.knowledge.readers.reading import parse_document
from twinloop.dialogue.knowledge.settings import ReadingSettings
from twinloop.errors import InputError


@dataclass(frozen=True)
class Library:
    """Documents and meetings by their names in a corpus. left_out: name → why it cannot be read."""

    documents: Mapping[str, Document]
    meetings: Mapping[str, Document]
    left_out: Mapping[str, str]

    @property
    def all(self) -> tuple[Document, ...]:
        """All of them."""
        return (*self.documents.values(), *self.meetings.values())


def library(corpus: Corpus, settings: ReadingSettings | None = None) -> Library:
    """What a corpus holds to be read. A document that cannot be is left out and told."""
    documents, left = dict[str, Document](), dict[str, str]()
    for name in corpus.documents["document"]:
        try:
            documents[name] = parse_document(name, corpus.content(name), settings)
        except InputError as error:
            left[name] = str(error)
    meetings = {
        str(turns["meeting"][0]): conversation(turns["meeting"][0], turns.select("speaker", "text").iter_rows())
        for turns in corpus.turns.sort("meeting", "turn").partition_by("meeting", maintain_order=True)
    }
    return Library(documents, meetings, left)


def asked(corpus: Corpus, read: Library, questions: pl.DataFrame | None = None) -> tuple[Asked, ...]:
    """Questions of a corpus (all, or these rows of them), each with the places of its evidence.

    Independent of others are documents by their group and meetings; a question without evidence is so by itself. What
    should be answered and cannot be found in what was read is left out.
    """
    evidence, spans = _by_question(corpus.evidence), _by_question(corpus.spans)
    groups = dict(corpus.documents.select("document", "group").iter_rows())
    return tuple(
        one
        for row in (corpus.questions if questions is None else questions).iter_rows(named=True)
        for one in _asked(row, evidence.get(row["question"], ()), spans.get(row["question"], ()), read, groups)
    )


def _by_question(table: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in table.iter_rows(named=True):
        found.setdefault(row["question"], []).append(row)
    return found


def _asked(
    row: Mapping[str, Any],
    evidence: Sequence[Mapping[str, Any]],
    spans: Sequence[Mapping[str, Any]],
    read: Library,
    groups: Mapping[str, str],
) -> Iterator[Asked]:
    named = row["question"], row["text"]
    places = [*_stated(evidence, read), *_said(spans, read)]
    if places:
        group = groups[evidence[0]["document"]] if evidence else spans[0]["meeting"]
        yield Asked(*named, row["answer"], tuple(places), group)
    elif not row["answer"]:
        yield Asked(*named, "", (), row["question"])


def _stated(evidence: Iterable[Mapping[str, Any]], read: Library) -> Iterator[Place]:
    for one in evidence:
        document = read.documents.get(one["document"])
        if document is None:
            continue
        # Where another reader counted otherwise, the quotation itself says where it stands.
        pages = sorted(document.pages, key=lambda page: page.number != one["page"])
        found = locate(one["quote"], [page.text for page in pages])
        if found is not None:
            page, sought = pages[found.page - 1], squeezed(one["quote"])
            stated = page.number == one["page"] and squeezed(page.text)[one["start"] : one["end"]] == sought
            start, end = (one["start"], one["end"]) if stated else (found.start, found.end)
            yield Place(document.digest, page.number, *original_range(page.text, start, end))


def _said(spans: Iterable[Mapping[str, Any]], read: Library) -> Iterator[Place]:
    """Every turn of the spans, as it is a line of its meeting."""
    for span in spans:
        meeting = read.meetings.get(span["meeting"])
        if meeting is None:
            continue
        start = 0
        for number, line in enumerate(meeting.pages[0].text.split("\n")):
            if span["first"] <= number <= span["last"] and line:
                yield Place(meeting.digest, 1, start, start + len(line))
            start += len(line) + 1
